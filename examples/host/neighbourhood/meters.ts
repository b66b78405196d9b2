import type { AutoVolt, Device, LedgerEventInput } from '@autovolt/data'
import type { Household, MeterKind } from './households.js'

const gapLimitMs = 10 * 60_000
const minuteMs = 60_000
const atOnce = 2_000

/** A meter of a neighbour: its device, and what it reads. */
export interface Meter {
  readonly device: Device
  readonly kind: MeterKind
  readonly watts: number
  /** Tells it from others of its kind. */
  readonly phase: number
}

export function metersOf({ meters }: Household, devices: readonly Device[], place: number): Meter[] {
  return devices.flatMap((device) => {
    const kind = device.externalId as MeterKind
    const watts = meters[kind]
    return watts === undefined ? [] : { device, kind, watts, phase: place * 1.7 }
  })
}

/** Between 0 and 1, slowly up and down: the same at the same time, whoever asks. */
function swing(atMs: number, minutes: number, phase: number): number {
  return 0.5 + 0.5 * Math.sin((2 * Math.PI * atMs) / (minutes * minuteMs) + phase)
}

/** W at an instant; negative while something is given. The sun of these roofs never sets: a page is looked at at any hour. */
function powerAt({ kind, watts, phase }: Meter, atMs: number): number {
  const small = 0.97 + 0.06 * swing(atMs, 1.3, phase)
  if (kind === 'roof') return -watts * (0.25 + 0.4 * swing(atMs, 41, phase) + 0.2 * swing(atMs, 13, 2 * phase)) * small
  if (kind === 'battery') return watts * (2 * swing(atMs, 70, phase) - 1.2) * small
  return watts * (0.35 + 0.5 * swing(atMs, 23, phase) + 0.15 * swing(atMs, 3, phase)) * small
}

/**
 * Appends what the meters read at these instants, as a utility hands it over: their energy is in the ledger, and trades are settled by it.
 * Once is as good as twice.
 */
export async function appendReadings(
  volt: AutoVolt,
  meters: readonly Meter[],
  instants: readonly Date[],
): Promise<void> {
  const receivedAt = new Date()
  const events = meters.flatMap((meter) => instants.map((timestamp) => readingOf(meter, timestamp, receivedAt)))
  for (let at = 0; at < events.length; at += atOnce) await volt.ledger.append(events.slice(at, at + atOnce))
}

function readingOf(meter: Meter, timestamp: Date, receivedAt: Date): LedgerEventInput {
  const { device } = meter
  const [one] = device.switches
  if (one === undefined || device.classroom === undefined) throw new Error(`${device.name} has no meter`)
  return {
    switchId: one._id,
    deviceId: device._id,
    classroom: device.classroom,
    eventType: 'power_reading',
    powerState: true,
    powerRating: one.powerRating,
    energySource: 'power',
    reading: { powerW: Math.round(powerAt(meter, timestamp.getTime())) },
    timestamp,
    receivedAt,
    gapLimitMs,
    ratePerKwh: 0,
    flags: [],
    metadata: { source: 'api' },
    idempotencyKey: `neighbour-${timestamp.toISOString()}`,
  }
}

/** W; what a household gives at an instant, less what it takes. */
export function surplusAt(meters: readonly Meter[], atMs: number): number {
  return -meters.reduce((sum, meter) => sum + powerAt(meter, atMs), 0)
}
