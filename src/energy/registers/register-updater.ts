import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { Database } from '../../core/database.js'
import { DatabaseError, ValidationError } from '../../core/errors.js'
import { forEachConcurrently } from '../../core/for-each-concurrently.js'
import type { Reader } from '../../core/repository/reader.js'
import type { Notice } from '../../core/self-check/notice.js'
import { lateAfterMs } from '../../core/self-check/work-records.js'
import { validateData } from '../../core/validate.js'
import type { Classroom } from '../../devices/classroom.js'
import type { Device } from '../../devices/device.js'
import type { Ledger } from '../../ledger/ledger.js'
import type { MeasurementStore } from '../measurement/measurement-store.js'
import { quarterMs, quarterOf } from '../register-marks/quarter-hours.js'
import type { RegisterMark } from '../register-marks/register-mark.js'
import type { RegisterMarkStore } from '../register-marks/register-mark-store.js'
import { touchedAt } from '../register-marks/touched-quarter.js'
import type { PriceBookReader } from '../tariffs/price-book.js'
import { markedRuns } from './marked-runs.js'
import { meteredSwitch } from './metered-switch.js'
import { type RegisterContext, registerContextOf } from './register-context.js'
import { RegisterWriter } from './register-writer.js'

export const registerStartSchema = z.strictObject({
  /** How long it rests between two updates. */
  everyMs: z.int().min(100).max(86_400_000).default(30_000),
})
export type RegisterStartOptions = z.input<typeof registerStartSchema>

/** Register update: what a call of `update` has done. */
export interface RegisterUpdate {
  /** Registers that it has appended to the ledger, corrections included. */
  readonly entries: number
  /** Marked quarter hours whose registers could not be taken, such as those that are archived. The log says why. */
  readonly left: number
}

export interface RegisterParts {
  readonly ledger: Ledger
  readonly measurements: MeasurementStore
  readonly marks: RegisterMarkStore
  readonly devices: Reader<Device>
  readonly classrooms: Reader<Classroom>
  readonly prices: PriceBookReader
  /** How long measurements are kept; for ever if left out. */
  readonly measurementsExpireMs: number | undefined
}

const marksAtOnce = 500
const switchesAtOnce = 4

/** What one pass through the marks has done. */
interface Pass {
  entries: number
  left: number
  followers: number
}

/**
 * Appends the quarter-hour registers of switches with `ledgerRecording: 'quarter_hours'` to the ledger. Any number of workers
 * may call {@link update} or {@link start}; a register that two of them compute is in the ledger once.
 */
export class RegisterUpdater {
  readonly #database: Database
  readonly #parts: RegisterParts
  readonly #writer: RegisterWriter

  constructor(database: Database, parts: RegisterParts) {
    this.#database = database
    this.#parts = parts
    this.#writer = new RegisterWriter(database, parts.ledger, parts.measurements)
    database.selfCheck.add(() => this.#notice())
  }

  /**
   * Takes the registers of the quarter hours that are over and have got measurements since, and corrects those that are there
   * where these came late. Called again, it changes nothing.
   */
  async update(): Promise<RegisterUpdate> {
    const total = { entries: 0, left: 0 }
    for (;;) {
      const pass = await this.#pass()
      total.entries += pass.entries
      total.left = pass.left
      // Each ends a register and is followed by none.
      if (pass.followers === 0) return total
    }
  }

  /** Updates now and then until it is stopped or the handle is closed. @returns a function that stops it. */
  start(options: RegisterStartOptions = {}): () => Promise<void> {
    const { everyMs } = validateData(registerStartSchema, options, 'The options of the registers')
    return this.#database.periodic.start({ name: 'registers', everyMs, work: () => this.update() })
  }

  /** Marks that have long been due, and that nobody has taken. */
  async #notice(): Promise<Notice | undefined> {
    const [oldest] = await this.#parts.marks.due(undefined, 1)
    if (oldest === undefined || this.#database.clock.now().getTime() - oldest.dueAt.getTime() <= lateAfterMs)
      return undefined
    return {
      code: 'REGISTERS_NOT_TAKEN',
      message: `The registers of quarter hours that were due at ${oldest.dueAt.toISOString()} have not been taken: their energy is not in the ledger. Call volt.start(), or volt.registers.update() now and then`,
      completeUntil: oldest.quarter,
    }
  }

  async #pass(): Promise<Pass> {
    const pass = { entries: 0, left: 0, followers: 0 }
    let marks: RegisterMark[] = []
    do {
      marks = await this.#parts.marks.due(marks.at(-1), marksAtOnce)
      await this.#takeAll(marks, pass)
    } while (marks.length === marksAtOnce)
    return pass
  }

  async #takeAll(marks: readonly RegisterMark[], pass: Pass): Promise<void> {
    if (marks.length === 0) return
    const { devices, classrooms, prices } = this.#parts
    const context = await registerContextOf(marks, { devices, classrooms, prices: await prices.prices() })
    // One switch after the other: what is taken of one quarter hour reaches into the next.
    await forEachConcurrently(markedRuns(marks), switchesAtOnce, async (runs) => {
      for (const run of runs) await this.#take(run, context, pass)
    })
  }

  async #take(run: readonly RegisterMark[], context: RegisterContext, pass: Pass): Promise<void> {
    const [first] = run
    const last = run.at(-1)
    if (first === undefined || last === undefined) return
    const { switchId, deviceId } = first
    const device = context.deviceOf(deviceId)
    const document = device?.switches.find(({ _id }) => _id.equals(switchId))
    if (device === undefined || document === undefined) {
      this.#complain(switchId, 'the switch is not part of its device any more: its registers end here')
      await this.#parts.marks.release(run)
      return
    }
    const { classroom } = device
    if (classroom === undefined) {
      this.#complain(switchId, 'its device is in no classroom any more: its registers end here')
      await this.#parts.marks.release(run)
      return
    }
    const meter = meteredSwitch(device, document)
    const nowMs = this.#database.clock.now().getTime()
    const marked = { fromMs: first.quarter.getTime(), toMs: last.quarter.getTime() + quarterMs }
    const endedMs = quarterOf(nowMs - meter.settlingMs)
    if (marked.toMs > endedMs) return
    if (this.#isExpired(marked.fromMs - meter.gapLimitMs, nowMs)) {
      this.#complain(
        switchId,
        'measurements came when others of their time had expired: the registers stay as they are',
      )
      await this.#parts.marks.release(run)
      return
    }
    const place = { deviceId, classroom, priceAt: context.priceAt }
    try {
      const { entries, follower } = await this.#writer.take(meter, place, marked, endedMs)
      pass.entries += entries
      if (follower !== undefined) {
        const quarter = touchedAt(device, switchId, follower)
        await this.#parts.marks.touchUnlessPending(quarter)
        if (quarter.dueMs <= nowMs) pass.followers += 1
      }
      await this.#parts.marks.release(run)
    } catch (error) {
      if (!isAboutSwitch(error)) throw error
      pass.left += run.length
      this.#complain(switchId, error.message)
    }
  }

  #isExpired(atMs: number, nowMs: number): boolean {
    const { measurementsExpireMs } = this.#parts
    return measurementsExpireMs !== undefined && atMs < nowMs - measurementsExpireMs
  }

  #complain(switchId: ObjectId, reason: string): void {
    this.#database.logger.warn({ switchId: switchId.toHexString(), reason }, 'registers were not taken')
  }
}

/** Whether it is this switch whose registers cannot be taken, and not the database that fails. */
function isAboutSwitch(error: unknown): error is Error {
  if (error instanceof ValidationError) return true
  return error instanceof DatabaseError && (error.code === 'ARCHIVED' || error.code === 'CONTENTION')
}
