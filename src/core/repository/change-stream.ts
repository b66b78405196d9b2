import type { ChangeStreamDocument, Collection, Document, ObjectId, ResumeToken, Timestamp } from 'mongodb'
import { DatabaseError } from '../errors.js'
import { translateError } from '../translate-error.js'

/** One change of a document. */
export type EntityChange<Stored> =
  | {
      readonly type: 'created' | 'updated' | 'replaced'
      readonly id: ObjectId
      readonly document: Stored | null
      readonly resumeToken: ResumeToken
    }
  | { readonly type: 'deleted'; readonly id: ObjectId; readonly document: null; readonly resumeToken: ResumeToken }

export interface WatchOptions {
  /** The token of the last change that was seen; the stream goes on after it. */
  readonly resumeAfter?: ResumeToken
  /** Ends the stream. */
  readonly signal?: AbortSignal
}

const types = { insert: 'created', update: 'updated', replace: 'replaced', delete: 'deleted' } as const
const longestPauseMs = 10_000

/**
 * The changes of a collection, from now or from a token on. A lost connection is resumed where it broke off.
 * @throws DatabaseError `HISTORY_LOST` when the oplog no longer reaches back to where the stream broke off: changes are
 * missing then, and the caller has to read the documents afresh.
 */
export async function* watchCollection<Stored extends Document>(
  collection: Collection<Stored>,
  start: { readonly at: Timestamp | undefined },
  match: Document | undefined,
  projection: Readonly<Record<string, unknown>>,
  options: WatchOptions,
): AsyncGenerator<EntityChange<Stored>, void, undefined> {
  let token = options.resumeAfter
  const pipeline = [
    { $match: { operationType: { $in: Object.keys(types) } } },
    ...(match === undefined ? [] : [{ $match: match }]),
    ...(Object.keys(projection).length === 0 ? [] : [{ $project: projection }]),
  ]
  for (let failures = 0; ; ) {
    const stream = collection.watch(pipeline, { fullDocument: 'updateLookup', ...startOf(token, start.at) })
    const stop = () => void stream.close()
    options.signal?.addEventListener('abort', stop, { once: true })
    try {
      while (options.signal?.aborted !== true) {
        const next = await stream.tryNext()
        failures = 0
        token = next?._id ?? stream.resumeToken ?? token
        const change = next === null ? undefined : toChange(next)
        if (change !== undefined) yield change
      }
      return
    } catch (error) {
      if (options.signal?.aborted === true) return
      failures += 1
      const translated = translateError(error)
      if (!isResumable(translated)) throw translated
      await new Promise((resolve) => setTimeout(resolve, Math.min(100 * 2 ** failures, longestPauseMs)))
    } finally {
      options.signal?.removeEventListener('abort', stop)
      await stream.close()
    }
  }
}

function isResumable(error: unknown): boolean {
  return error instanceof DatabaseError && error.retryable
}

function startOf(
  token: ResumeToken,
  at: Timestamp | undefined,
): { resumeAfter?: ResumeToken; startAtOperationTime?: Timestamp } {
  if (token !== undefined) return { resumeAfter: token }
  return at === undefined ? {} : { startAtOperationTime: at }
}

function toChange<Stored extends Document>(change: ChangeStreamDocument<Stored>): EntityChange<Stored> | undefined {
  const resumeToken = change._id
  switch (change.operationType) {
    case 'insert':
    case 'replace':
    case 'update':
      return {
        type: types[change.operationType],
        id: change.documentKey._id as unknown as ObjectId,
        document: (change.fullDocument as unknown as Stored | undefined) ?? null,
        resumeToken,
      }
    case 'delete':
      return { type: 'deleted', id: change.documentKey._id as unknown as ObjectId, document: null, resumeToken }
    default:
      return undefined
  }
}
