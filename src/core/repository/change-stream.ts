import { setTimeout as sleep } from 'node:timers/promises'
import type {
  ChangeStream,
  ChangeStreamDocument,
  Collection,
  Document,
  ObjectId,
  ResumeToken,
  Timestamp,
} from 'mongodb'
import { DatabaseError } from '../errors.js'
import { isRecord } from '../is-record.js'
import { translateError } from '../translate-error.js'
import { refused } from './data.js'

/** One change of a document. */
export type EntityChange<Stored> =
  | {
      readonly type: 'created' | 'updated' | 'replaced'
      readonly id: ObjectId
      /** The document as it is now; null if it has been deleted since. */
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

type Start = { readonly resumeAfter: ResumeToken } | { readonly startAtOperationTime: Timestamp }

export interface WatchParts {
  readonly start: Start
  /** What the document must be like after a change other than a deletion. */
  readonly filter: Document
  /** The fields that are not shown. */
  readonly hidden: readonly string[]
  readonly signal: AbortSignal
}

const types = { insert: 'created', update: 'updated', replace: 'replaced', delete: 'deleted' } as const
/** After these the server ends the stream. */
const endings = ['drop', 'rename', 'dropDatabase', 'invalidate']
const firstPauseMs = 100
const longestPauseMs = 10_000

/**
 * The changes of a collection, until the signal. A lost connection is resumed where it broke off.
 * @throws DatabaseError `HISTORY_LOST` when the oplog no longer reaches back to where the stream broke off, or the whole
 * collection went: changes are missing then, and the caller has to read the documents afresh.
 */
export async function* watchCollection<Stored extends Document>(
  collection: Collection<Stored>,
  { start, filter, hidden, signal }: WatchParts,
): AsyncGenerator<EntityChange<Stored>, void, undefined> {
  const pipeline = pipelineOf(filter, hidden)
  let position = start
  for (let failures = 0; !signal.aborted; ) {
    const stream = collection.watch(pipeline, { fullDocument: 'updateLookup', ...position })
    const stop = () => void closeQuietly(stream)
    signal.addEventListener('abort', stop, { once: true })
    try {
      while (!signal.aborted) {
        const next = await stream.tryNext()
        failures = 0
        if (next !== null) yield toChange(next)
        const token = next?._id ?? stream.resumeToken
        if (token !== undefined && token !== null) position = { resumeAfter: token }
      }
    } catch (error) {
      if (signal.aborted) return
      const translated = translateError(error)
      if (!(translated instanceof DatabaseError) || !translated.retryable) throw translated
      const pauseMs = Math.min(firstPauseMs * 2 ** failures, longestPauseMs)
      failures += 1
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
    } finally {
      signal.removeEventListener('abort', stop)
      await closeQuietly(stream)
    }
  }
}

/** @throws ValidationError for what cannot be a token. */
export function toResumeToken(token: unknown): ResumeToken {
  const data = isRecord(token) ? token._data : undefined
  if (typeof data === 'string' && /^[0-9A-F]{16,}$/i.test(data)) return { _data: data }
  throw refused('The options', 'resumeAfter', 'is not the token of a change', token)
}

function pipelineOf(filter: Document, hidden: readonly string[]): Document[] {
  const wanted = { operationType: { $in: [...Object.keys(types), ...endings] } }
  const unfiltered = { operationType: { $in: ['delete', ...endings] } }
  const projection = hidden.flatMap((name) => [
    [`fullDocument.${name}`, 0],
    [`updateDescription.updatedFields.${name}`, 0],
  ])
  return [
    { $match: wanted },
    ...(Object.keys(filter).length === 0 ? [] : [{ $match: { $or: [unfiltered, afterChange(filter)] } }]),
    ...(projection.length === 0 ? [] : [{ $project: Object.fromEntries(projection) }]),
  ]
}

/** The filter on the document that the change has left. */
function afterChange(filter: Document): Document {
  return Object.fromEntries(
    Object.entries(filter).map(([key, value]) =>
      key.startsWith('$') ? [key, (value as Document[]).map(afterChange)] : [`fullDocument.${key}`, value],
    ),
  )
}

async function closeQuietly(stream: Pick<ChangeStream, 'close'>): Promise<void> {
  await stream.close().catch(() => undefined)
}

function toChange<Stored extends Document>(change: ChangeStreamDocument<Stored>): EntityChange<Stored> {
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
      throw new DatabaseError('HISTORY_LOST', 'The collection was dropped or renamed: read the documents afresh')
  }
}
