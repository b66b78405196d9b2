import { z } from 'zod'
import { timeZone } from '../../core/fields.js'
import { refused } from '../../core/repository/data.js'
import { validateData } from '../../core/validate.js'
import type { FactStore } from '../../ledger/facts/fact-store.js'
import { type EnergyStretch, kwhFromMws } from '../../metering/index.js'
import { switchStretches } from '../switch-energy.js'
import { DayHours, dayHoursPipeline } from './day-hours.js'
import { addDays } from './periods.js'
import { daysQuestionSchema, type ParsedDays } from './questions.js'
import type { RollUpReader } from './roll-up-reader.js'
import type { Sites } from './sites.js'
import { spanOfDays, stepsBetween, type TimeSteps } from './time-steps.js'

const mostPoints = 10_000
const mostSwitches = 200
const minutesOf = { '1min': 1, '5min': 5, '15min': 15, '30min': 30, hour: 60 } as const

export const loadCurveSchema = daysQuestionSchema.safeExtend({
  resolution: z.enum(['1min', '5min', '15min', '30min', 'hour']).default('hour'),
  /** Whose civil days and hours; that of the classrooms if they share one, else UTC. */
  timeZone: timeZone().optional(),
})
export type LoadCurveQuestion = z.input<typeof loadCurveSchema>

/** What was used in a step of time. */
export interface LoadPoint {
  readonly start: Date
  readonly seconds: number
  /** kWh. */
  readonly energy: number
  /** kWh. */
  readonly production: number
  /** W, the mean. */
  readonly power: number
}

export async function loadCurve(
  reader: RollUpReader,
  sites: Sites,
  facts: FactStore,
  question: LoadCurveQuestion,
): Promise<LoadPoint[]> {
  const { resolution, timeZone: given, ...scope } = validateData(loadCurveSchema, question, 'The question')
  const zone = given ?? (await sharedZone(sites, scope))
  const minutes = minutesOf[resolution]
  const steps = stepsBetween(spanOfDays(scope, zone), zone, minutes, mostPoints)
  if (steps === undefined) {
    throw refused('The question', 'resolution', `expected at most ${mostPoints} points; ask for fewer days`, resolution)
  }
  const curve = new Curve(steps)
  if (minutes === 60) await addRollUps(curve, reader, scope)
  else await addLedger(curve, sites, facts, scope)
  return curve.points
}

/** Whole milliwatt-seconds by step. */
class Curve {
  readonly steps: TimeSteps
  readonly #consumed: number[]
  readonly #produced: number[]

  constructor(steps: TimeSteps) {
    this.steps = steps
    this.#consumed = new Array<number>(steps.count).fill(0)
    this.#produced = new Array<number>(steps.count).fill(0)
  }

  add(stretch: EnergyStretch): void {
    for (const { step, part } of this.steps.partsOf(stretch)) {
      this.#consumed[step] = (this.#consumed[step] ?? 0) + part.consumedMws
      this.#produced[step] = (this.#produced[step] ?? 0) + part.producedMws
    }
  }

  get points(): LoadPoint[] {
    return this.#consumed.map((consumedMws, step) => ({
      start: new Date(this.steps.startOf(step)),
      seconds: this.steps.lengthOf(step) / 1000,
      energy: kwhFromMws(consumedMws),
      production: kwhFromMws(this.#produced[step] ?? 0),
      power: consumedMws / this.steps.lengthOf(step),
    }))
  }
}

/** Days of other zones begin up to a day earlier or later. */
async function addRollUps(curve: Curve, reader: RollUpReader, scope: ParsedDays): Promise<void> {
  const around = { ...scope, from: addDays(scope.from, -1), to: addDays(scope.to, 1) }
  const hours = new DayHours()
  for await (const day of reader.dailyStream(dayHoursPipeline(around))) {
    for (const { hour, energyMws, productionMws } of hours.switchHours(day)) {
      curve.add({
        fromMs: hour.startMs,
        toMs: hour.endMs,
        consumedMws: energyMws,
        producedMws: productionMws,
        quality: 'measured',
      })
    }
  }
}

async function addLedger(curve: Curve, sites: Sites, facts: FactStore, scope: ParsedDays): Promise<void> {
  const devices = await sites.devices(scope)
  const switches = devices.flatMap(({ switches: own, lastSignOfLifeAt }) =>
    own.map(({ _id }) => ({ _id, lastSignOfLifeMs: lastSignOfLifeAt?.getTime() })),
  )
  if (switches.length > mostSwitches) {
    throw refused('The question', 'devices', `expected at most ${mostSwitches} switches at this resolution`, devices)
  }
  const range = { fromMs: curve.steps.startOf(0), toMs: curve.steps.startOf(curve.steps.count) }
  const rooms = scope.classrooms && new Set(scope.classrooms.map(String))
  for (const { _id, lastSignOfLifeMs } of switches) {
    for await (const { stretch, since } of switchStretches(facts, _id, range, lastSignOfLifeMs)) {
      if (rooms === undefined || rooms.has(since.classroom.toHexString())) curve.add(stretch)
    }
  }
}

async function sharedZone(sites: Sites, scope: ParsedDays): Promise<string> {
  const ofDevices = scope.devices && (await sites.devices(scope)).map(({ classroom }) => classroom)
  const [zone, ...others] = await sites.timeZones(scope.classrooms ?? ofDevices)
  return zone !== undefined && others.length === 0 ? zone : 'UTC'
}
