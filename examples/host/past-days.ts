import type { AutoVolt, Device, LedgerEventInput } from '@autovolt/data'
import { civilDay, daysBetween, instantOf, shownMonth } from './civil-days.js'
import type { SwitchPlan } from './simulator/plan.js'
import { Random } from './simulator/random.js'
import { type SchoolPlan, timeZone } from './simulator/school-plan.js'
import { type PastDay, type PastEvent, pastDayOf } from './simulator/timetable.js'
import { timeOfUse } from './tariffs.js'

const minuteMs = 60_000
/** There is a reading an hour. */
const gapLimitMs = 120 * minuteMs
const atOnce = 5_000

type SwitchFields = Pick<
  LedgerEventInput,
  'switchId' | 'deviceId' | 'classroom' | 'powerRating' | 'receivedAt' | 'gapLimitMs' | 'flags' | 'metadata'
>

/**
 * Gives an empty ledger the days of the month that is shown, up to now, as a school imports them from an earlier system.
 * @returns how many entries it appended.
 */
export async function appendPastDays(volt: AutoVolt, school: SchoolPlan, seed: number): Promise<number> {
  if ((await volt.ledger.findOne({})) !== null) return 0
  const now = new Date()
  const random = new Random(seed).fork('past')
  const days = daysBetween(shownMonth(now).from, civilDay(now)).map((day) => ({ day, ...kindOf(day, random) }))
  const rates = new Rates(volt)
  const events: LedgerEventInput[] = []
  for (const { plan, fields } of await switchesOf(volt, school, now)) {
    for (const day of days) {
      for (const event of pastDayOf(plan, day, random)) {
        const timestamp = new Date(instantOf(day.day).getTime() + event.minute * minuteMs)
        if (timestamp.getTime() > now.getTime() - minuteMs) continue
        const ratePerKwh = await rates.at(timestamp)
        const idempotencyKey = `past-${timestamp.toISOString()}`
        events.push({ ...fields, ...happening(event), timestamp, ratePerKwh, idempotencyKey })
      }
    }
  }
  for (let at = 0; at < events.length; at += atOnce) await volt.ledger.append(events.slice(at, at + atOnce))
  return events.length
}

function kindOf(day: string, random: Random): PastDay {
  const weekday = new Date(day).getUTCDay()
  return { isSchoolDay: weekday !== 0 && weekday !== 6, clearness: random.between(0.35, 1) }
}

/** What the entries of each switch have in common. */
async function switchesOf(volt: AutoVolt, school: SchoolPlan, receivedAt: Date) {
  const found: { readonly plan: SwitchPlan; readonly fields: SwitchFields }[] = []
  for (const { macAddress, switches } of school.devices) {
    const device = await volt.devices.findByMacAddress(macAddress)
    if (device === null) continue
    for (const plan of switches) found.push({ plan, fields: fieldsOf(device, plan, receivedAt) })
  }
  return found
}

function fieldsOf(device: Device, plan: SwitchPlan, receivedAt: Date): SwitchFields {
  const one = device.switches.find(({ gpio }) => gpio === plan.gpio)
  if (one === undefined) throw new Error(`${device.name} has no switch at gpio ${plan.gpio}`)
  return {
    switchId: one._id,
    deviceId: device._id,
    classroom: device.classroom!,
    powerRating: one.powerRating,
    receivedAt,
    gapLimitMs,
    flags: [],
    metadata: { source: 'migration' },
  }
}

function happening({ on, powerW }: PastEvent) {
  if (powerW === undefined)
    return { eventType: on ? 'switch_on' : 'switch_off', powerState: on, energySource: 'rated' } as const
  return { eventType: 'power_reading', powerState: on, energySource: 'power', reading: { powerW } } as const
}

/** The prices in force: those of a half hour of the week are asked for once. */
class Rates {
  readonly #volt: AutoVolt
  readonly #byHalfHour = new Map<number, number>()

  constructor(volt: AutoVolt) {
    this.#volt = volt
  }

  async at(time: Date): Promise<number> {
    const halfHour = Math.floor(time.getTime() / (30 * minuteMs)) % (7 * 48)
    const known = this.#byHalfHour.get(halfHour)
    if (known !== undefined) return known
    const price = await this.#volt.tariffs.priceAt(timeOfUse, time, timeZone)
    const rate = price?.pricePerKwh ?? 0
    this.#byHalfHour.set(halfHour, rate)
    return rate
  }
}
