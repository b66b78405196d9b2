import type { CommandFailedEvent, CommandStartedEvent, CommandSucceededEvent, MongoClient } from 'mongodb'
import { isRecord } from '../../core/is-record.js'
import { listen } from '../../core/listen.js'
import type { Logger } from '../../core/logger.js'
import { shapeOf } from './query-shape.js'

/** Started call: a command that goes to the server now. */
export interface StartedCall {
  /** The database of the handle. */
  readonly database: string
  /** The real name; `other` where there were 500 others before. */
  readonly collection: string
  /** What MongoDB calls it, such as `find`. */
  readonly command: string
  /** The server, such as `localhost:27017`. */
  readonly address: string
  /** What is asked for, without a value. To be asked at once: the command may change afterwards. */
  readonly shape: () => string
}

/** Ended call: how a command has ended. */
export interface EndedCall {
  readonly durationMs: number
  /** Null if it ended well. A write of which a part was refused has failed. */
  readonly failure: CallFailure | null
}

/** Call failure: why a command has failed, without its message, which may hold values. */
export interface CallFailure {
  /** The number of MongoDB's error; null where the connection failed. */
  readonly code: number | null
  /** Such as `DuplicateKey`, or the name of the driver's error. */
  readonly name: string
}

/** Is called when a call starts. @returns what is called when it has ended. */
export type CallObserver = (call: StartedCall) => (ended: EndedCall) => void

interface UnderWay {
  readonly startedMs: number
  readonly end: readonly ((ended: EndedCall) => void)[]
}

/** More collections than any application has; those beyond are seen together. */
const mostCollections = 500
/** What a lost event would leave behind. */
const mostUnderWay = 50_000
const observed = new Set([
  'find',
  'getMore',
  'aggregate',
  'count',
  'distinct',
  'insert',
  'update',
  'delete',
  'findAndModify',
])

/** The calls of a client on one database, from the driver's events, for any number of observers. */
export class CallSource {
  readonly #dbName: string
  readonly #logger: Logger
  readonly #observers = new Set<CallObserver>()
  readonly #collections = new Set<string>()
  readonly #underWay = new Map<number, UnderWay>()
  readonly #listen: () => () => void
  #stop: (() => void) | undefined

  constructor(client: MongoClient, dbName: string, logger: Logger) {
    this.#dbName = dbName
    this.#logger = logger
    this.#listen = () =>
      listen(client, [
        ['commandStarted', (event) => this.#started(event as CommandStartedEvent)],
        ['commandSucceeded', (event) => this.#ended(event as CommandSucceededEvent, refusalOf(event))],
        ['commandFailed', (event) => this.#ended(event as CommandFailedEvent, failureOf(event))],
      ])
  }

  /** @returns a function that stops observing; without observers nothing is listened to. */
  observe(observer: CallObserver): () => void {
    this.#observers.add(observer)
    this.#stop ??= this.#listen()
    return () => {
      this.#observers.delete(observer)
      if (this.#observers.size === 0) this.stop()
    }
  }

  stop(): void {
    this.#stop?.()
    this.#stop = undefined
    this.#observers.clear()
    this.#underWay.clear()
  }

  #started({ requestId, databaseName, commandName, command, address }: CommandStartedEvent): void {
    if (databaseName !== this.#dbName || !observed.has(commandName)) return
    const named = commandName === 'getMore' ? command.collection : command[commandName]
    const call: StartedCall = {
      database: databaseName,
      collection: this.#bounded(typeof named === 'string' ? named : ''),
      command: commandName,
      address,
      shape: () => shapeOf(commandName, command),
    }
    if (this.#underWay.size >= mostUnderWay) this.#underWay.clear()
    const end = [...this.#observers].flatMap((observer) => this.#undisturbed(() => observer(call)) ?? [])
    this.#underWay.set(requestId, { startedMs: performance.now(), end })
  }

  #ended({ requestId }: { readonly requestId: number }, failure: CallFailure | null): void {
    const call = this.#underWay.get(requestId)
    if (call === undefined) return
    this.#underWay.delete(requestId)
    const ended = { durationMs: performance.now() - call.startedMs, failure }
    for (const end of call.end) this.#undisturbed(() => end(ended))
  }

  /** What an observer throws would be thrown in the middle of the driver's work. */
  #undisturbed<Result>(work: () => Result): Result | undefined {
    try {
      return work()
    } catch (error) {
      this.#logger.warn(
        { reason: error instanceof Error ? error.message : String(error) },
        'an observer of calls failed',
      )
      return undefined
    }
  }

  #bounded(collection: string): string {
    if (this.#collections.has(collection)) return collection
    if (this.#collections.size >= mostCollections) return 'other'
    this.#collections.add(collection)
    return collection
  }
}

/** A write that is refused is an answer like any other. */
function refusalOf(event: unknown): CallFailure | null {
  const { reply } = event as { readonly reply?: { readonly writeErrors?: unknown } }
  if (!Array.isArray(reply?.writeErrors)) return null
  const [first] = reply.writeErrors
  return { code: isRecord(first) ? Number(first.code) : null, name: 'WriteError' }
}

function failureOf(event: unknown): CallFailure {
  const { failure } = event as { readonly failure: Error & { readonly code?: unknown; readonly codeName?: unknown } }
  return {
    code: typeof failure.code === 'number' ? failure.code : null,
    name: typeof failure.codeName === 'string' ? failure.codeName : failure.name,
  }
}
