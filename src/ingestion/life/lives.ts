import type { Database } from '../../core/database.js'
import type { Prices } from '../../energy/tariffs/price-book.js'
import type { Appended } from '../../ledger/append/append-call.js'
import type { LedgerEvent } from '../../ledger/entry/entry.js'
import { type Budget, BudgetedMap, bytesOfText } from '../budget.js'
import type { KnownDevice } from '../device-directory.js'
import { lifeEvent } from '../ledger-event.js'
import { type LifeSign, type LifeSpan, withSigns } from './life-span.js'
import { type AliveDevice, areWithin, currentSpanOf, type LifeStore } from './life-store.js'

/** Device life: what a batch of messages shows of a device with rated switches. */
export interface DeviceLife {
  readonly device: KnownDevice
  readonly signs: readonly LifeSign[]
  /** When the last of the messages came. */
  readonly arrivalMs: number
}

/** Growth: how the span that a device is in goes on. */
export interface Growth {
  readonly since: Date
  readonly until: Date
}

type Append = (events: readonly LedgerEvent[]) => Promise<readonly Appended[]>

/** Devices that are settled in one transaction. */
const devicesAtOnce = 50
const maximumBytes = 16 * 1024 * 1024

/** The signs of life of devices with rated switches, whose energy rests on them. */
export class Lives {
  readonly #database: Database
  readonly #store: LifeStore
  /** The span that each device is in, as far as this process knows: only to know what to try. */
  readonly #current = new BudgetedMap<LifeSpan | undefined>(maximumBytes, (span) => 50 + bytesOfText(span?.boot))

  constructor(database: Database, store: LifeStore) {
    this.#database = database
    this.#store = store
  }

  /** What is to be tried as a part of a write that is done anyway, by the device: that it goes on as it was. */
  growths(lives: readonly DeviceLife[]): Map<string, Growth> {
    const growths = new Map<string, Growth>()
    for (const life of lives) {
      const growth = this.#growthOf(life)
      if (growth !== undefined) growths.set(life.device.id.toHexString(), growth)
    }
    return growths
  }

  /**
   * Makes the signs durable, after growth was tried: what is a silence, a restart, or late, is put among the spans in a
   * transaction with what the ledger has to know of it.
   * @param append Called in that transaction, and again if it begins anew.
   * @returns what became of the ledger's events.
   */
  async settle(lives: readonly DeviceLife[], prices: Prices, append: Append): Promise<Appended[]> {
    if (lives.length === 0) return []
    const found = await this.#read(lives)
    const open = lives.filter(({ device, signs }) => {
      const known = found.get(device.id.toHexString())
      return known !== undefined && !areWithin(currentSpanOf(known), signs)
    })
    const appended: Appended[] = []
    for (let at = 0; at < open.length; at += devicesAtOnce) {
      const some = open.slice(at, at + devicesAtOnce)
      appended.push(...(await this.#database.transactions.run(() => this.#add(some, prices, append))))
      await this.#read(some)
    }
    return appended
  }

  get budget(): Budget {
    return this.#current.budget
  }

  /** Believes only what the database says, from now on. */
  forget(): void {
    this.#current.clear()
  }

  #growthOf({ device, signs }: DeviceLife): Growth | undefined {
    const key = device.id.toHexString()
    const span = this.#current.has(key) ? this.#current.get(key) : currentSpanOf(device.document)
    if (span === undefined) return undefined
    const [grown, ...others] = withSigns([span], signs, device.gapLimitMs)
    const isOne = grown !== undefined && others.length === 0 && areWithin(grown, signs)
    if (!isOne || grown.fromMs !== span.fromMs) return undefined
    return { since: new Date(grown.fromMs), until: new Date(grown.toMs) }
  }

  async #read(lives: readonly DeviceLife[]): Promise<Map<string, AliveDevice>> {
    const found = await this.#store.read(lives.map(({ device }) => device.id))
    for (const [key, device] of found) this.#current.set(key, currentSpanOf(device))
    return found
  }

  async #add(lives: readonly DeviceLife[], prices: Prices, append: Append): Promise<readonly Appended[]> {
    const found = await this.#store.read(lives.map(({ device }) => device.id))
    const events: LedgerEvent[] = []
    for (const { device, signs, arrivalMs } of lives) {
      const alive = found.get(device.id.toHexString())
      if (alive === undefined) continue
      const states = new Map(alive.switches.map(({ _id, state }) => [_id.toHexString(), state ?? false]))
      for (const note of await this.#store.add(alive, signs, device.gapLimitMs)) {
        for (const target of device.ratedSwitches) {
          const on = states.get(target._id.toHexString()) ?? false
          events.push(lifeEvent(device, target, note, { on, arrivalMs, prices }))
        }
      }
    }
    return events.length === 0 ? [] : append(events)
  }
}
