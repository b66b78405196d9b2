import { setTimeout as sleep } from 'node:timers/promises'
import type { ChangeStream, ChangeStreamDocument, Collection, Document, ObjectId, Timestamp } from 'mongodb'
import { DatabaseError, type ValidationError } from '../errors.js'
import { isRecord } from '../is-record.js'
import type { OpenWatches } from '../open-watches.js'
import { translateError } from '../translate-error.js'
import { refused } from './data.js'

/**
 * Where a change stream goes on: keep the one of the last change that was seen, and hand it in as `resumeAfter`. It is plain
 * JSON, may be stored anywhere and given to anybody, and is good for as long as the oplog reaches back.
 */
export interface ResumeToken {
  readonly _data: string
}

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
  /** The document as callers get it. */
  readonly shown: (document: Document) => Document
  readonly signal: AbortSignal
  readonly watches: OpenWatches
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
  { start, filter, hidden, shown, signal, watches }: WatchParts,
): AsyncGenerator<EntityChange<Stored>, void, undefined> {
  const pipeline = pipelineOf(filter, hidden)
  let position = start
  for (let failures = 0; !signal.aborted; ) {
    const stream = collection.watch(pipeline, { fullDocument: 'updateLookup', ...position })
    const stop = () => void closeQuietly(stream)
    const ended = watches.open()
    signal.addEventListener('abort', stop, { once: true })
    try {
      while (!signal.aborted) {
        const next = await stream.tryNext()
        failures = 0
        if (next !== null) yield toChange(next, shown)
        const token = next?._id ?? stream.resumeToken
        if (token !== undefined && token !== null) position = { resumeAfter: token as ResumeToken }
      }
    } catch (error) {
      if (signal.aborted) return
      const translated = translateError(error)
      // What the server makes nothing of, at the very start, is what the caller has handed in.
      if (position === start && 'resumeAfter' in start && isUnknown(translated)) throw badToken(start.resumeAfter)
      if (!(translated instanceof DatabaseError) || !translated.retryable) throw translated
      const pauseMs = Math.min(firstPauseMs * 2 ** failures, longestPauseMs)
      failures += 1
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
    } finally {
      signal.removeEventListener('abort', stop)
      await closeQuietly(stream)
      ended()
    }
  }
}

/** @throws ValidationError for what cannot be a token. */
export function toResumeToken(token: unknown): ResumeToken {
  const data = isRecord(token) ? token._data : undefined
  if (typeof data === 'string' && data.length <= 4096 && /^([0-9A-F]{2}){8,}$/i.test(data)) return { _data: data }
  throw badToken(token)
}

function badToken(token: unknown): ValidationError {
  return refused('The options', 'resumeAfter', 'is not the token of a change', token)
}

function isUnknown(error: unknown): boolean {
  return error instanceof DatabaseError && error.code === 'DATABASE' && !error.retryable
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

function toChange<Stored extends Document>(
  change: ChangeStreamDocument<Stored>,
  shown: WatchParts['shown'],
): EntityChange<Stored> {
  const resumeToken = change._id as ResumeToken
  switch (change.operationType) {
    case 'insert':
    case 'replace':
    case 'update':
      return {
        type: types[change.operationType],
        id: idOf(change),
        document: change.fullDocument ? (shown(change.fullDocument) as Stored) : null,
        resumeToken,
      }
    case 'delete':
      return { type: 'deleted', id: idOf(change), document: null, resumeToken }
    default:
      throw new DatabaseError('HISTORY_LOST', 'The collection was dropped or renamed: read the documents afresh')
  }
}

/** Every entity's ids are ObjectIds; the driver's types cannot know that. */
function idOf({ documentKey }: { readonly documentKey: { readonly _id: unknown } }): ObjectId {
  return documentKey._id as ObjectId
}
