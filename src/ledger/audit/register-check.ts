import { mwsOfRegister } from '../append/chain-head.js'
import {
  calculatedCostOf,
  chainKey,
  cumulativeEnergyOf,
  cumulativeProductionOf,
  entryIdOf,
  type StoredBytes,
  sequenceOf,
  switchIdOf,
} from '../entry/stored-bytes.js'
import { factOf } from '../facts/fact.js'
import type { FactWindow } from '../facts/fact-windows.js'
import { allOfTime, KnownFacts } from '../facts/known-facts.js'
import { PowerReadingBytes } from '../facts/power-reading-bytes.js'
import { adjustmentOf, costOf, type RegisterChange } from '../facts/register.js'
import { energyEntryOf } from '../facts/stored-fact.js'
import { powerStretchBetween } from '../facts/switch-meter.js'
import type { Finding } from './finding.js'

/** Readings of a power that are kept of a chain where they come one after the other; and facts of any other. */
const [fewFacts, mostFacts] = [2, 512]
/** Currency units. A cost is a sum of fractions, and depends on the order of adding in its last digits. */
const costTolerance = (cost: number) => 1e-6 + 1e-9 * Math.abs(cost)

interface Registers {
  consumedMws: number
  producedMws: number
  /** That of the entry itself once it was compared: the sums of two orders of adding would part in time. */
  cost: number
}

/** Register verdict: how the registers of an entry are found. */
export type RegisterVerdict =
  /** They are what the facts come to. */
  | 'right'
  /** The facts that they rest on are not kept any more: it takes a check that keeps all of them. */
  | 'forgotten'
  /** The facts that they rest on, or the registers before them, are archived. */
  | 'archived'
  | Finding

/** A reading of a power that nothing came after in time, as far as the chain goes. */
interface LastPower {
  atMs: number
  powerW: number
  gapLimitMs: number
  ratePerKwh: number
}

const reading = new PowerReadingBytes()

/** Recomputes the registers of one chain from the facts of its entries, which it takes in the order of the chain. */
export class RegisterCheck {
  /** Undefined while the last entries were readings of a power, one after the other: they are in {@link #recent}. */
  #known: KnownFacts | undefined
  /** The last readings of a power. */
  #recent: Copy[] = []
  #last: LastPower | undefined
  #newestMs = Number.NEGATIVE_INFINITY
  #hasForgotten = false
  readonly #keepsAll: boolean
  #before: Registers | undefined
  /** Where the next ones are computed: a new object for each entry would cost as much as computing them. */
  #after = zero()

  private constructor(known: FactWindow, before: Registers | undefined, keepsAll: boolean) {
    this.#known = new KnownFacts(known)
    this.#before = before
    this.#keepsAll = keepsAll
  }

  /**
   * One that keeps the newest facts: memory does not grow with the chain.
   * @param archivedUntilMs Before which instant entries may be archived; undefined if none are.
   */
  static ofNewest(archivedUntilMs: number | undefined): RegisterCheck {
    return RegisterCheck.#from(archivedUntilMs, false)
  }

  /** One that keeps all facts. */
  static ofAll(archivedUntilMs: number | undefined): RegisterCheck {
    return RegisterCheck.#from(archivedUntilMs, true)
  }

  static #from(archivedUntilMs: number | undefined, keepsAll: boolean): RegisterCheck {
    if (archivedUntilMs === undefined) return new RegisterCheck(allOfTime, zero(), keepsAll)
    return new RegisterCheck({ ...allOfTime, fromMs: archivedUntilMs + 1 }, undefined, keepsAll)
  }

  /** Takes an entry that is one to the byte. */
  take(entry: StoredBytes): RegisterVerdict {
    const change = this.#changeOf(entry)
    const before = this.#before
    if (change === undefined || before === undefined) {
      this.#before = registersOf(entry)
      return change === undefined && this.#hasForgotten ? 'forgotten' : 'archived'
    }
    const expected = this.#after
    expected.consumedMws = before.consumedMws + change.consumedMws
    expected.producedMws = before.producedMws + change.producedMws
    expected.cost = before.cost + change.cost
    const verdict = compare(entry, expected)
    this.#after = before
    // The entries after it are compared with what it says, so that each is judged by itself.
    this.#before = verdict === 'right' ? expected : registersOf(entry)
    return verdict
  }

  /** What the entry changes, if it is known. */
  #changeOf(entry: StoredBytes): RegisterChange | undefined {
    const isPower = reading.read(entry)
    if (isPower && this.#last !== undefined && reading.atMs > this.#newestMs) return this.#next(entry, this.#last)
    const energyEntry = energyEntryOf(entry)
    const fact = factOf(energyEntry)
    if (fact === undefined) return adjustmentOf(energyEntry)
    const known = this.#knownFacts()
    const change = known.changeOf(fact)
    known.windows.add(fact)
    this.#forget(known)
    const isNewest = fact.atMs > this.#newestMs
    this.#newestMs = Math.max(this.#newestMs, fact.atMs)
    // What comes after a reading of a power depends on nothing before it.
    if (isPower && isNewest && !this.#keepsAll) {
      const { atMs, powerW, gapLimitMs, ratePerKwh } = reading
      this.#last = { atMs, powerW, gapLimitMs, ratePerKwh }
    } else this.#last = undefined
    return change
  }

  /** Most entries are readings of a power that come after another one. */
  #next(entry: StoredBytes, last: LastPower): RegisterChange {
    const { consumedMws, producedMws } = powerStretchBetween(last, reading)
    const change = { consumedMws, producedMws, cost: costOf(consumedMws, last.ratePerKwh) }
    last.atMs = reading.atMs
    last.powerW = reading.powerW
    last.gapLimitMs = reading.gapLimitMs
    last.ratePerKwh = reading.ratePerKwh
    this.#newestMs = reading.atMs
    this.#keepRecent(entry)
    return change
  }

  #keepRecent(entry: StoredBytes): void {
    if (this.#recent.length >= fewFacts) this.#known = undefined
    const room = this.#recent.length < fewFacts ? undefined : this.#recent.shift()
    this.#recent.push(copyOf(entry, room))
  }

  /** The facts that are known, with the readings that were not added yet. */
  #knownFacts(): KnownFacts {
    const facts = this.#recent.flatMap((entry) => factOf(energyEntryOf(entry)) ?? [])
    this.#recent = []
    if (this.#known === undefined) {
      this.#known = new KnownFacts({ ...allOfTime, fromMs: facts[0]?.atMs ?? this.#newestMs, facts })
      this.#hasForgotten = true
      return this.#known
    }
    for (const fact of facts) this.#known.windows.add(fact)
    if (facts.length > 0) this.#known.standAnew()
    return this.#known
  }

  #forget({ windows }: KnownFacts): void {
    if (this.#keepsAll || windows.size <= mostFacts) return
    windows.keepNewest([])
    this.#hasForgotten = true
  }
}

interface Copy extends StoredBytes {
  length: number
}

/**
 * The reply of the server that it is in is not kept.
 * @param room A copy that is not needed any more.
 */
function copyOf({ buffer, start, length }: StoredBytes, room: Copy | undefined): Copy {
  const copy = room !== undefined && room.buffer.length >= length ? room : roomFor(length)
  buffer.copy(copy.buffer, 0, start, start + length)
  copy.length = length
  return copy
}

function roomFor(length: number): Copy {
  return { buffer: Buffer.allocUnsafeSlow(length + (length >> 3)), start: 0, length }
}

function zero(): Registers {
  return { consumedMws: 0, producedMws: 0, cost: 0 }
}

function compare(entry: StoredBytes, expected: Registers): 'right' | Finding {
  const [energyWs, productionWs, cost] = [expected.consumedMws / 1000, expected.producedMws / 1000, expected.cost]
  const [foundWs, foundProductionWs] = [cumulativeEnergyOf(entry), cumulativeProductionOf(entry)]
  if (foundWs !== energyWs) return findingOf(entry, 'cumulativeEnergy', energyWs, foundWs)
  if (foundProductionWs !== productionWs)
    return findingOf(entry, 'cumulativeProduction', productionWs, foundProductionWs)
  const found = calculatedCostOf(entry)
  if (!(Math.abs(found - cost) <= costTolerance(cost))) return findingOf(entry, 'calculatedCost', cost, found)
  expected.cost = found
  return 'right'
}

function registersOf(entry: StoredBytes): Registers {
  return {
    consumedMws: mwsOfRegister(cumulativeEnergyOf(entry)),
    producedMws: mwsOfRegister(cumulativeProductionOf(entry)),
    cost: calculatedCostOf(entry),
  }
}

function findingOf(entry: StoredBytes, register: string, expected: number, found: number): Finding {
  return {
    damage: 'wrong_register',
    where: 'entry',
    switchId: switchIdOf(chainKey(entry)),
    sequence: sequenceOf(entry),
    entryId: entryIdOf(entry),
    expected: `${register} ${expected}`,
    found: String(found),
  }
}
