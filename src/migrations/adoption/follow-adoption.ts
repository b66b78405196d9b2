import { setTimeout as sleep } from 'node:timers/promises'
import type { ChangeStream, Document } from 'mongodb'
import type { Database } from '../../core/database.js'
import { DatabaseError } from '../../core/errors.js'
import { translateError } from '../../core/translate-error.js'
import { looseId } from './map/values.js'
import type { Origin } from './origin.js'

/** Origin changes: what has changed in the origin. */
export interface OriginChanges {
  /** Names of collections, as the public versions call them. */
  readonly collections: ReadonlySet<string>
  /** What names the devices in question, by {@link looseId}: an id, or a MAC address without separators, or what the origin calls it. */
  readonly devices: ReadonlySet<string>
  /** How many changes there were. */
  readonly count: number
}

const waitMs = 500
/** What belongs together comes together: a press and its copies. */
const collectMs = 1_000
const historyLost = 286

/** The changes of an origin, some at a time, from the moment that it is opened. */
export class OriginFollower {
  readonly #stream: ChangeStream<Document>
  readonly #origin: Origin

  /** @throws DatabaseError `REPLICA_SET_REQUIRED` on a standalone server. */
  static async open(database: Database, origin: Origin): Promise<OriginFollower> {
    await database.requireReplicaSet('Changes of the origin')
    const names = Object.values(origin.mapping.collections).flatMap(({ from }) => from ?? [])
    const pipeline = [
      { $match: { 'ns.coll': { $in: names }, operationType: { $in: ['insert', 'update', 'replace'] } } },
    ]
    const options = { fullDocument: 'updateLookup', maxAwaitTimeMS: waitMs } as const
    const follower = new OriginFollower(database.client.db(origin.name).watch(pipeline, options), origin)
    // From here on nothing is missed.
    follower.#first = await follower.#next()
    return follower
  }

  #first: Document | null = null

  private constructor(stream: ChangeStream<Document>, origin: Origin) {
    this.#stream = stream
    this.#origin = origin
  }

  /**
   * Waits for changes, and gives those of about a second.
   * @returns undefined once the signal is aborted.
   * @throws DatabaseError `HISTORY_LOST` if the oplog no longer reaches back to the last one: the origin has to be read again.
   */
  async changes(signal: AbortSignal): Promise<OriginChanges | undefined> {
    let next = this.#first
    this.#first = null
    while (next === null) {
      if (signal.aborted) return undefined
      next = await this.#next()
    }
    const collections = new Set<string>()
    const devices = new Set<string>()
    let count = 0
    for (
      const untilMs = performance.now() + collectMs;
      next !== null || performance.now() < untilMs;
      next = await this.#next()
    ) {
      if (next === null) {
        await sleep(waitMs / 5)
        continue
      }
      count += 1
      this.#note(next, collections, devices)
      if (performance.now() >= untilMs) break
    }
    return { collections, devices, count }
  }

  close(): Promise<void> {
    return this.#stream.close()
  }

  async #next(): Promise<Document | null> {
    try {
      return await this.#stream.tryNext()
    } catch (error) {
      const isLost = typeof error === 'object' && error !== null && Reflect.get(error, 'code') === historyLost
      throw isLost
        ? new DatabaseError('HISTORY_LOST', 'The oplog no longer has all changes of the origin: it is read again')
        : translateError(error)
    }
  }

  #note({ ns, documentKey, fullDocument }: Document, collections: Set<string>, devices: Set<string>): void {
    const collection = this.#origin.standardNameOf(ns.coll)
    if (collection === undefined) return
    collections.add(collection)
    const document = fullDocument ? this.#origin.see(collection, fullDocument) : {}
    const named = collection === 'devices' || collection === 'iot_devices' ? documentKey._id : undefined
    for (const device of [named, document.deviceId, document.device_id]) {
      if (device !== undefined && device !== null) devices.add(looseId(device))
    }
  }
}
