import { setTimeout as sleep } from 'node:timers/promises'
import type { ObjectId } from 'mongodb'
import type { Database } from '../core/database.js'
import type { EntityChange } from '../core/repository/change-stream.js'
import type { Reader } from '../core/repository/reader.js'
import type { Notification } from './notification.js'

/** Notification event: what a listener gets. After a `gap` events are missing: read the notifications afresh. */
export type NotificationEvent =
  | { readonly type: 'created' | 'changed'; readonly notification: Notification }
  | { readonly type: 'gap' }

export type NotificationListener = (event: NotificationEvent) => void

type Changes = AsyncGenerator<EntityChange<Notification>, void, undefined>

const pauseMs = 1_000

/** The notifications of all users as they come, by one change stream for each process, however many listen. */
export class NotificationFeed {
  readonly #database: Database
  readonly #listeners = new Map<string, Set<NotificationListener>>()
  #stream: { readonly opened: Promise<void>; readonly stop: AbortController } | undefined

  constructor(database: Database) {
    this.#database = database
  }

  /** Resolves once nothing is missed any more. @returns a function that stops listening. */
  async subscribe(reader: Reader<Notification>, user: ObjectId, listener: NotificationListener): Promise<() => void> {
    const key = user.toHexString()
    const own: NotificationListener = (event) => listener(event)
    const ofUser = this.#listeners.get(key) ?? new Set()
    this.#listeners.set(key, ofUser.add(own))
    const stop = () => {
      ofUser.delete(own)
      if (ofUser.size === 0 && this.#listeners.get(key) === ofUser) this.#listeners.delete(key)
      if (this.#listeners.size === 0) this.#close()
    }
    this.#stream ??= this.#open(reader)
    try {
      await this.#stream.opened
    } catch (error) {
      stop()
      throw error
    }
    return stop
  }

  #open(reader: Reader<Notification>) {
    const stop = new AbortController()
    const signal = AbortSignal.any([stop.signal, this.#database.closing])
    const opened = reader.watch({}, { signal }).then((changes) => {
      void this.#follow(reader, changes, signal)
    })
    return { opened, stop }
  }

  #close(): void {
    this.#stream?.stop.abort()
    this.#stream = undefined
  }

  /** Reads the stream; one that breaks is opened again, and the listeners know that events are missing. */
  async #follow(reader: Reader<Notification>, first: Changes, signal: AbortSignal): Promise<void> {
    for (let changes: Changes | undefined = first; !signal.aborted; ) {
      try {
        changes ??= await this.#openAgain(reader, signal)
        for await (const change of changes) this.#tell(change)
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        this.#database.logger.warn({ reason }, 'the stream of notifications broke')
        await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
      }
      changes = undefined
    }
  }

  async #openAgain(reader: Reader<Notification>, signal: AbortSignal): Promise<Changes> {
    const changes = await reader.watch({}, { signal })
    for (const listeners of this.#listeners.values()) this.#call(listeners, { type: 'gap' })
    return changes
  }

  #tell({ type, document }: EntityChange<Notification>): void {
    if (document === null) return
    const listeners = this.#listeners.get(document.user.toHexString())
    if (listeners === undefined) return
    this.#call(listeners, { type: type === 'created' ? 'created' : 'changed', notification: document })
  }

  #call(listeners: ReadonlySet<NotificationListener>, event: NotificationEvent): void {
    for (const listener of listeners) {
      try {
        listener(event)
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        this.#database.logger.warn({ reason }, 'a listener of notifications failed')
      }
    }
  }
}
