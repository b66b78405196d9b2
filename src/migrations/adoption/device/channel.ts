import type { ObjectId } from 'mongodb'
import type { LedgerEventInput } from '../../../ledger/ledger.js'
import type { AdoptedDevice, AdoptionContext } from '../context.js'
import { wholeDeviceId, wholeDeviceSwitch } from '../map/switches.js'
import { undeclaredGapLimitMs } from '../stores.js'
import type { WholeEnergy } from './whole-sources.js'

const batchSize = 1_000
const keyStart = 'adopted:whole:'

interface Booked {
  readonly consumedMws: number
  readonly producedMws: number
  readonly cost: number
  readonly entries: number
}

const nothing: Booked = { consumedMws: 0, producedMws: 0, cost: 0, entries: 0 }

/**
 * Makes the ledger say of a device as a whole what the origin says, with an adjustment for each time of which it says something
 * else. What the origin has counted since, or counts otherwise now, is the difference: nothing is booked twice.
 * @returns how many entries there are for it.
 */
export async function bookWholeDevice(
  device: AdoptedDevice,
  wanted: ReadonlyMap<number, WholeEnergy>,
  context: AdoptionContext,
): Promise<number> {
  const { needs, store } = context
  if (store === undefined) return wanted.size
  const channel = wholeDeviceId(device.input._id)
  const booked = await bookedOf(channel, context)
  const times = [...new Set([...wanted.keys(), ...booked.keys()])].sort((a, b) => a - b)
  const events = times.flatMap((atMs) => differenceAt(device, atMs, wanted.get(atMs), booked.get(atMs), context))
  if (events.length > 0) await addChannel(device, context)
  for (let at = 0; at < events.length; at += batchSize) await needs.ledger.append(events.slice(at, at + batchSize))
  return [...booked.values()].reduce((sum, { entries }) => sum + entries, events.length)
}

async function bookedOf(switchId: ObjectId, { needs }: AdoptionContext): Promise<ReadonlyMap<number, Booked>> {
  const booked = new Map<number, Booked>()
  const select = ['timestamp', 'adjustment', 'idempotencyKey'] as const
  for await (const entry of needs.ledger.stream({ switchId, eventType: 'manual_adjustment' }, { select })) {
    if (entry.adjustment === undefined || !entry.idempotencyKey.startsWith(keyStart)) continue
    const { energyWs, productionWs, cost } = entry.adjustment
    const before = booked.get(entry.timestamp.getTime()) ?? nothing
    booked.set(entry.timestamp.getTime(), {
      consumedMws: before.consumedMws + Math.round(energyWs * 1000),
      producedMws: before.producedMws + Math.round(productionWs * 1000),
      cost: before.cost + cost,
      entries: before.entries + 1,
    })
  }
  return booked
}

function differenceAt(
  { input: device }: AdoptedDevice,
  atMs: number,
  wanted: WholeEnergy | undefined,
  booked: Booked = nothing,
  { database, registry }: AdoptionContext,
): LedgerEventInput[] {
  const { consumedMws = 0, producedMws = 0 } = wanted ?? {}
  const energyMws = consumedMws - booked.consumedMws
  const productionMws = producedMws - booked.producedMws
  if (energyMws === 0 && productionMws === 0) return []
  const ratePerKwh = registry.rates.at(registry.tariffOf(device.classroom), atMs)
  const cost = (consumedMws * ratePerKwh) / 3.6e9 - booked.cost
  return [
    {
      switchId: wholeDeviceId(device._id),
      deviceId: device._id,
      classroom: device.classroom,
      timestamp: new Date(atMs),
      receivedAt: database.clock.now(),
      eventType: 'manual_adjustment',
      powerState: false,
      powerRating: 0,
      energySource: 'rated',
      gapLimitMs: undeclaredGapLimitMs,
      ratePerKwh,
      flags: ['estimated'],
      adjustment: {
        energyWs: energyMws / 1000,
        productionWs: productionMws / 1000,
        cost: Math.round(cost * 1e6) / 1e6,
      },
      metadata: { source: 'migration' },
      idempotencyKey: `${keyStart}${atMs}:${booked.entries}`,
    },
  ]
}

/** Gives our device the channel that stands for it as a whole, if it has none. */
async function addChannel({ input }: AdoptedDevice, { database, needs, store }: AdoptionContext): Promise<void> {
  const { _id } = input
  const channelId = wholeDeviceId(_id)
  await database.transactions.run(async () => {
    const ours = await needs.devices.findOne({ _id })
    if (ours === null || ours.switches.some((one) => one._id.equals(channelId))) return
    const pins = ours.switches.map(({ gpio }) => gpio)
    const switches = [...ours.switches, wholeDeviceSwitch(_id, pins)]
    const changed = await needs.devices.update(_id, { switches })
    await store?.moveVersion(_id, ours.__v, changed.__v)
  })
}
