import { civilDayOf } from '../../../metering/index.js'
import type { AdoptedDevice, AdoptionContext } from '../context.js'
import { wholeDeviceId } from '../map/switches.js'
import { bookWholeDevice } from './channel.js'
import type { DeviceDays } from './device-days.js'
import { slotsOf, type WholePart, type WholeSource, wholeSources } from './whole-sources.js'

/** Whole days: what collections of the origin say of a device as a whole, mW·s by collection and day. */
export type WholeDays = ReadonlyMap<string, ReadonlyMap<string, number>>

/**
 * Adopts what is known of a device only as a whole, such as the readings of its meter: on a channel of its own, for days that
 * nothing covers in more detail. It is never added to what its switches have used.
 * @returns what each collection says, and what of it was adopted.
 */
export async function adoptWholeDevice(
  device: AdoptedDevice,
  context: AdoptionContext,
  days: DeviceDays,
): Promise<{ readonly stated: WholeDays; readonly adopted: ReadonlyMap<string, number> }> {
  const stated = new Map<string, Map<string, number>>()
  const takenDays = new Map<string, WholePart[]>()
  const collections = new Set<string>()
  const today = civilDayOf(context.nowMs, context.options.timeZone)
  for (const source of wholeSources) {
    for await (const { day, parts } of daysOf(source, device, context)) {
      const mws = parts.reduce((sum, { consumedMws }) => sum + consumedMws, 0)
      const bySource = stated.get(source.collection) ?? new Map<string, number>()
      stated.set(source.collection, bySource.set(day, (bySource.get(day) ?? 0) + mws))
      const reason = whyNot(day, { today, days, isTaken: takenDays.has(day) })
      if (reason === undefined && mws > 0) {
        takenDays.set(day, parts)
        collections.add(source.collection)
      } else if (reason !== undefined && source.collection !== 'powerreadings') {
        // Readings are adopted as measurements all the same.
        for (const { document } of parts) context.leave(source.collection, document, reason)
      }
    }
    await context.store?.flush()
  }
  const taken = [...takenDays.values()].flat()
  context.tally.adopt('ledgerEntries', await bookWholeDevice(device, slotsOf(taken), context))
  const adopted = new Map([...takenDays].map(([day, parts]) => [day, sumOf(parts)]))
  if (taken.length > 0) {
    context.tally.wholeDevices.push({
      deviceId: device.input._id,
      switchId: wholeDeviceId(device.input._id),
      collections: [...collections],
      days: takenDays.size,
      energyWh: sumOf(taken) / 3.6e6,
      productionWh: 0,
    })
  }
  return { stated, adopted }
}

function whyNot(
  day: string,
  { today, days, isTaken }: { readonly today: string; readonly days: DeviceDays; readonly isTaken: boolean },
): string | undefined {
  if (days.has(day)) return 'its day is counted from what the switches of the device did'
  if (isTaken) return 'its day is counted from a better source'
  return day >= today ? 'its day has not ended: it is adopted then' : undefined
}

/** What a source says, day by day. */
async function* daysOf(
  source: WholeSource,
  device: AdoptedDevice,
  context: AdoptionContext,
): AsyncGenerator<{ readonly day: string; readonly parts: WholePart[] }, void, undefined> {
  let parts: WholePart[] = []
  for await (const part of source.read(device, context)) {
    const [first] = parts
    if (first !== undefined && first.day !== part.day) {
      yield { day: first.day, parts }
      parts = []
    }
    parts.push(part)
  }
  const [first] = parts
  if (first !== undefined) yield { day: first.day, parts }
}

function sumOf(parts: readonly WholePart[]): number {
  return parts.reduce((sum, { consumedMws }) => sum + consumedMws, 0)
}
