import type { Document } from 'mongodb'
import type { AdoptedDevice, AdoptionContext } from '../context.js'
import type { Finding } from '../map/mapped.js'
import { PressReader, type SwitchChange } from '../map/presses.js'
import { StateLogReader } from '../map/state-logs.js'
import type { AdoptedSwitch } from '../map/switches.js'
import { TrackerReader } from '../map/tracker-intervals.js'
import { activityOf, eventOf } from '../stores.js'
import type { DeviceDays } from './device-days.js'

const batchSize = 1_000

interface ChangeReader {
  read(log: Document): SwitchChange[]
  end(): SwitchChange[]
}

/**
 * Adopts what the logs of a device say of its switches, each from one source: activity logs, else state logs, else the
 * intervals of the power tracker.
 * @returns the collection that the energy of each switch is counted from.
 */
export async function adoptSwitches(
  device: AdoptedDevice,
  context: AdoptionContext,
  days: DeviceDays,
): Promise<ReadonlyMap<AdoptedSwitch, string>> {
  const { input, switches } = device
  const { _id } = input
  const onFinding = (finding: Finding) => context.find(finding)
  const sources = new Map<AdoptedSwitch, string>()
  const hasBetterSource = (target: AdoptedSwitch) => sources.has(target)
  const actionOf = (action: unknown) => context.origin.valueOf('activitylogs', 'action', action)
  const adopt = async (collection: string, filter: Document, timeField: string, reader: ChangeReader) => {
    const ofReader = new Set<AdoptedSwitch>()
    const take = async (changes: readonly SwitchChange[]) => {
      for (const { target, ended, atMs } of changes) {
        ofReader.add(target)
        if (ended !== undefined) days.add(target._id, { fromMs: ended.sinceMs, toMs: atMs, energyMws: ended.energyMws })
      }
      await write(device, changes, context)
    }
    let changes: SwitchChange[] = []
    for await (const log of context.read(collection, filter, { [timeField]: 1, _id: 1 })) {
      changes.push(...reader.read(log))
      if (changes.length < batchSize) continue
      await take(changes)
      changes = []
    }
    await take([...changes, ...reader.end()])
    for (const target of ofReader) sources.set(target, collection)
  }
  await adopt('activitylogs', { deviceId: _id }, 'timestamp', new PressReader(switches, { actionOf, onFinding }))
  const parts = { hasBetterSource, onFinding }
  await adopt('switchstatelogs', { deviceId: _id }, 'timestamp', new StateLogReader(switches, parts))
  const intervals = { device_id: _id.toHexString(), switch_id: { $exists: true } }
  await adopt('device_consumption_ledger', intervals, 'start_ts', new TrackerReader(switches, parts))
  return sources
}

async function write(
  { input: device }: AdoptedDevice,
  changes: readonly SwitchChange[],
  { needs, origin, registry, store, tally }: AdoptionContext,
): Promise<void> {
  for (const change of changes) tally.change(device._id, change)
  const presses = changes.filter(({ collection, isInferred }) => collection === 'activitylogs' && !isInferred)
  if (store !== undefined) {
    const tariff = registry.tariffOf(device.classroom)
    await needs.ledger.append(changes.map((change) => eventOf(device, change, registry.rates.at(tariff, change.atMs))))
    const causeOf = (trigger: unknown) => origin.valueOf('activitylogs', 'triggeredBy', trigger)
    await needs.activities.record(presses.map((press) => activityOf(device, press, causeOf)))
    await store.flush()
  }
  tally.adopt('ledgerEntries', changes.length)
  tally.adopt('activities', presses.length)
}
