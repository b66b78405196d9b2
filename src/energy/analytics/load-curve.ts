import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { Database } from '../../core/database.js'
import { refused } from '../../core/repository/data.js'
import { validateData } from '../../core/validate.js'
import { timeZone } from '../../devices/time-zone.js'
import type { Fact } from '../../ledger/facts/fact.js'
import type { Ledger } from '../../ledger/ledger.js'
import { type EnergyStretch, kwhFromMws } from '../../metering/index.js'
import { adjustmentsOf } from '../adjustments.js'
import { addDays } from '../days.js'
import { switchStretches } from '../switch-energy.js'
import { daysStages } from './daily-pipelines.js'
import { DayHours, daySlotsPipeline, partsOfSlot } from './day-hours.js'
import type { DeviceLookup } from './device-lookup.js'
import { daysQuestionSchema, type ParsedDays } from './questions.js'
import type { RollUpReader } from './roll-up-reader.js'
import type { Pipeline } from './stages.js'
import { stepsOf, type TimeSteps } from './time-steps.js'

const mostPoints = 10_000
const mostSwitches = 200
const minutesOf = { '1min': 1, '5min': 5, '15min': 15, '30min': 30, hour: 60 } as const

export const loadCurveSchema = daysQuestionSchema.safeExtend({
  resolution: z.enum(['1min', '5min', '15min', '30min', 'hour']).default('hour'),
  /** Whose civil days and hours; that of the classrooms if they share one, else UTC. */
  timeZone: timeZone().optional(),
})
export type LoadCurveQuestion = z.input<typeof loadCurveSchema>

/** Load point: what was used in a step of time. */
export interface LoadPoint {
  readonly start: Date
  readonly seconds: number
  /** kWh. */
  readonly energyKwh: number
  /** kWh. */
  readonly productionKwh: number
  /** W, the mean; without what was adjusted by hand. */
  readonly powerW: number
}

export interface LoadCurveParts {
  readonly database: Database
  readonly reader: RollUpReader
  readonly lookup: DeviceLookup
  readonly ledger: Ledger
}

export async function loadCurve(parts: LoadCurveParts, question: LoadCurveQuestion): Promise<LoadPoint[]> {
  const { reader, lookup } = parts
  const { resolution, timeZone: given, ...scope } = validateData(loadCurveSchema, question, 'The question')
  const zone = given ?? (await sharedZone(lookup, scope))
  const minutes = minutesOf[resolution]
  const steps = stepsOf(scope, zone, minutes, mostPoints)
  if (steps === undefined) {
    throw refused('The question', 'resolution', `expected at most ${mostPoints} points; ask for fewer days`, resolution)
  }
  const curve = new Curve(steps)
  if (minutes === 60) await addRollUps(curve, reader, scope)
  else await addLedger(curve, parts, scope)
  return curve.points
}

/** Whole milliwatt-seconds by step. */
class Curve {
  readonly steps: TimeSteps
  readonly #consumed: number[]
  readonly #produced: number[]
  /** What of the consumption was adjusted by hand. */
  readonly #adjusted: number[]

  constructor(steps: TimeSteps) {
    this.steps = steps
    this.#consumed = new Array<number>(steps.count).fill(0)
    this.#produced = new Array<number>(steps.count).fill(0)
    this.#adjusted = new Array<number>(steps.count).fill(0)
  }

  add(stretch: EnergyStretch): void {
    for (const { step, part } of this.steps.partsOf(stretch)) {
      this.#consumed[step] = (this.#consumed[step] ?? 0) + part.consumedMws
      this.#produced[step] = (this.#produced[step] ?? 0) + part.producedMws
    }
  }

  /** What was adjusted by hand at an instant: it is energy of its step, and no power. */
  adjust(atMs: number, consumedMws: number, producedMws: number): void {
    const step = this.steps.stepAt(atMs)
    if (step === undefined) return
    this.#consumed[step] = (this.#consumed[step] ?? 0) + consumedMws
    this.#produced[step] = (this.#produced[step] ?? 0) + producedMws
    this.#adjusted[step] = (this.#adjusted[step] ?? 0) + consumedMws
  }

  get points(): LoadPoint[] {
    return this.#consumed.map((consumedMws, step) => ({
      start: new Date(this.steps.startOf(step)),
      seconds: this.steps.lengthOf(step) / 1000,
      energyKwh: kwhFromMws(consumedMws),
      productionKwh: kwhFromMws(this.#produced[step] ?? 0),
      powerW: (consumedMws - (this.#adjusted[step] ?? 0)) / this.steps.lengthOf(step),
    }))
  }
}

/** Days of other zones begin up to a day earlier or later. */
function around(scope: ParsedDays): ParsedDays {
  return { ...scope, from: addDays(scope.from, -1), to: addDays(scope.to, 1) }
}

async function addRollUps(curve: Curve, reader: RollUpReader, scope: ParsedDays): Promise<void> {
  const hours = new DayHours()
  for await (const day of reader.dailyStream(daySlotsPipeline(around(scope)))) {
    for (const { hour, slots, at } of hours.switchSlots(day)) {
      const { consumedMws, producedMws, adjustedMws, adjustedProductionMws } = partsOfSlot(slots, at)
      curve.add({ fromMs: hour.startMs, toMs: hour.endMs, consumedMws, producedMws, quality: 'measured' })
      curve.adjust(hour.startMs, adjustedMws, adjustedProductionMws)
    }
  }
}

/** What the roll-ups have something of, finer: those of the switches, the devices and the classrooms that they name. */
async function addLedger(curve: Curve, { reader, database, ledger }: LoadCurveParts, scope: ParsedDays): Promise<void> {
  const { span } = curve.steps
  // A day that a zone has left out has no steps.
  if (span === undefined) return
  const switches = await switchesOf(reader, around(scope))
  if (switches.length > mostSwitches) {
    throw refused(
      'The question',
      'devices',
      `expected at most ${mostSwitches} switches at this resolution`,
      scope.devices,
    )
  }
  const [rooms, devices] = [scope.classrooms, scope.devices].map((ids) => ids && new Set(ids.map(String)))
  const isAsked = ({ classroom, deviceId }: Pick<Fact, 'classroom' | 'deviceId'>) =>
    (rooms?.has(classroom.toHexString()) ?? true) && (devices?.has(deviceId.toHexString()) ?? true)
  for (const id of switches) {
    for await (const { stretch, since } of switchStretches(ledger.facts, id, span, undefined)) {
      if (isAsked(since)) curve.add(stretch)
    }
  }
  for (const { adjustment, timestamp, ...place } of await adjustmentsOf(database, ledger, span, switches)) {
    const { energyWs, productionWs } = adjustment
    if (isAsked(place)) curve.adjust(timestamp.getTime(), Math.round(energyWs * 1000), Math.round(productionWs * 1000))
  }
}

/** The switches of which the days have anything. */
async function switchesOf(reader: RollUpReader, scope: ParsedDays): Promise<ObjectId[]> {
  const found = new Map<string, ObjectId>()
  const pipeline: Pipeline<{ switches: ObjectId[] }> = [
    ...daysStages(scope),
    { $project: { _id: 0, switches: '$switch_breakdown.switch_id' } },
  ]
  for await (const { switches } of reader.dailyStream(pipeline)) {
    for (const id of switches) found.set(id.toHexString(), id)
  }
  return [...found.values()]
}

async function sharedZone(lookup: DeviceLookup, scope: ParsedDays): Promise<string> {
  const ofDevices = scope.devices && (await lookup.devices(scope)).flatMap(({ classroom }) => classroom ?? [])
  const [zone, ...others] = await lookup.timeZones(scope.classrooms ?? ofDevices)
  return zone !== undefined && others.length === 0 ? zone : 'UTC'
}
