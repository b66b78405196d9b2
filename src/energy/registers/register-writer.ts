import type { ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import { DatabaseError } from '../../core/errors.js'
import { retryStale, StaleReadError } from '../../core/retry-on-conflict.js'
import type { LedgerEvent } from '../../ledger/entry/entry.js'
import type { Ledger } from '../../ledger/ledger.js'
import type { MeasurementStore } from '../measurement/measurement-store.js'
import { quarterMs, quarterOf } from '../register-marks/quarter-hours.js'
import type { TimeRange } from '../switch-energy.js'
import { KnownFacts } from './known-facts.js'
import type { MeteredSwitch } from './metered-switch.js'
import {
  ending,
  isSameValue,
  meanPower,
  type Register,
  type RegisterValue,
  registerEvent,
  registerOf,
} from './register-entry.js'
import { type Recorded, RegisterLedger } from './register-ledger.js'
import { reachOf, type Segment, segmentsOf } from './segments.js'

/** Where a switch is: what a register says of it where no measurement does. */
export interface SwitchContext {
  readonly deviceId: ObjectId
  readonly classroom: ObjectId
  /** Currency units per kWh. */
  priceAt(classroom: ObjectId, atMs: number): number
}

/** Taken: what taking the registers of a time has come to. */
export interface Taken {
  readonly entries: number
  /** A quarter hour, epoch milliseconds, that is to be looked at as well: a register is to end where it begins. */
  readonly follower: number | undefined
}

interface Looked {
  readonly span: TimeRange
  readonly recorded: Recorded
  readonly segments: readonly Segment[]
}

/** Takes the registers of a switch: compares what is known with what the ledger has, and appends what differs. */
export class RegisterWriter {
  readonly #database: Database
  readonly #ledger: Ledger
  readonly #recorded: RegisterLedger
  readonly #measurements: MeasurementStore

  constructor(database: Database, ledger: Ledger, measurements: MeasurementStore) {
    this.#database = database
    this.#ledger = ledger
    this.#recorded = new RegisterLedger(database, ledger)
    this.#measurements = measurements
  }

  /**
   * @param marked Whole quarter hours that have got measurements.
   * @param endedMs Up to where registers can be taken, the end of a quarter hour.
   * @throws DatabaseError `ARCHIVED` if what the ledger has of the marked time is archived; `CONTENTION`, retryable, if other
   * workers took the registers first for two minutes.
   */
  take(meter: MeteredSwitch, current: SwitchContext, marked: TimeRange, endedMs: number): Promise<Taken> {
    const facts = new KnownFacts(this.#measurements, this.#recorded, meter)
    return retryStale(this.#database, async () => {
      const looked = await this.#look(meter, facts, marked, endedMs)
      const events = this.#eventsOf(looked, meter, current)
      // Another worker has taken one of them, from other measurements: the worker that looks last sees them all.
      if (!(await this.#append(events, marked))) throw new StaleReadError()
      return { entries: events.length, follower: followerOf(looked) }
    })
  }

  /** What is known, and what the ledger has; for as much time around what is marked as that can change. */
  async #look(meter: MeteredSwitch, known: KnownFacts, marked: TimeRange, endedMs: number): Promise<Looked> {
    let span: TimeRange = { fromMs: marked.fromMs - quarterMs, toMs: marked.toMs }
    for (;;) {
      // First what the ledger has: who writes a register between the two has seen no more than we shall.
      const recorded = await this.#recorded.recorded(meter.switchId, { ...span, toMs: span.toMs + 1 })
      const facts = await known.around(span, recorded)
      const reach = reachOf(facts, marked)
      const wanted = { fromMs: reach.fromMs, toMs: Math.max(marked.toMs, Math.min(reach.toMs, endedMs)) }
      if (wanted.fromMs >= span.fromMs && wanted.toMs <= span.toMs)
        return { span: wanted, recorded, segments: segmentsOf(facts, wanted) }
      span = { fromMs: Math.min(wanted.fromMs, span.fromMs), toMs: Math.max(wanted.toMs, span.toMs) }
    }
  }

  #eventsOf({ recorded, segments }: Looked, meter: MeteredSwitch, current: SwitchContext): LedgerEvent[] {
    const receivedAt = this.#database.clock.now()
    const events: LedgerEvent[] = []
    let before: Segment | undefined
    for (const segment of segments) {
      const { startMs } = segment
      const found = recorded.registers.get(startMs)
      const wanted = wantedOf(segment, found, before?.isKnown === true || hasFactAt(recorded, startMs))
      const { deviceId, classroom } = segment.since ?? before?.since ?? current
      if (wanted !== undefined && (found === undefined || !isSameValue(found, wanted))) {
        const register = { ...wanted, atMs: startMs, revision: found === undefined ? 0 : found.revision + 1 }
        const { switchId, document } = meter
        const ratePerKwh = current.priceAt(classroom, startMs)
        const context = { switchId, deviceId, classroom, powerRating: document.powerRating, ratePerKwh, receivedAt }
        events.push(registerEvent(register, context))
      }
      before = segment
    }
    return events
  }

  /** @returns false if one of them is there already, and says something else. */
  async #append(events: readonly LedgerEvent[], marked: TimeRange): Promise<boolean> {
    try {
      const appended = await this.#ledger.appendValid(events)
      return appended.every(({ entry, isNew }, index) => isNew || saysTheSame(entry, events[index]))
    } catch (error) {
      const isArchived = error instanceof DatabaseError && error.code === 'ARCHIVED'
      const later = events.filter(({ timestamp }) => timestamp.getTime() >= marked.fromMs)
      // What lies before the time that is marked need not be there any more.
      if (!isArchived || later.length === events.length) throw error
      return this.#append(later, marked)
    }
  }
}

/** Where the last register has to end: with another one, or because nothing is known from there on. */
function followerOf({ span, recorded, segments }: Looked): number | undefined {
  const { toMs } = span
  if (segments.at(-1)?.isKnown !== true || quarterOf(toMs) !== toMs) return undefined
  return recorded.registers.has(toMs) || hasFactAt(recorded, toMs) ? undefined : toMs
}

/** What the register at the start of the segment is to say; undefined if there is to be none. */
function wantedOf(segment: Segment, found: Register | undefined, isHeldBefore: boolean): RegisterValue | undefined {
  const { startMs, endMs, energyMws, isKnown, isEstimated } = segment
  if (isKnown) return meanPower(energyMws, endMs - startMs, isEstimated)
  return found !== undefined || isHeldBefore ? ending : undefined
}

function hasFactAt({ facts }: Recorded, atMs: number): boolean {
  return facts.some((fact) => fact.atMs === atMs)
}

function saysTheSame(entry: Parameters<typeof registerOf>[0], event: LedgerEvent | undefined): boolean {
  return event !== undefined && isSameValue(registerOf(entry), registerOf(event))
}
