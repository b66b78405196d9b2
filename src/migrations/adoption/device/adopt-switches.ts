import type { Document } from 'mongodb'
import type { AdoptedDevice, AdoptionContext, DeviceReading } from '../context.js'
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
  const { switches } = device
  const onFinding = (finding: Finding) => context.find(finding)
  const sources = new Map<AdoptedSwitch, string>()
  const hasBetterSource = (target: AdoptedSwitch) => sources.has(target)
  const actionOf = (action: unknown) => context.origin.valueOf('activitylogs', 'action', action)
  const adopt = async (reading: DeviceReading, reader: ChangeReader) => {
    const { collection } = reading
    const ofReader = new Set<AdoptedSwitch>()
    const take = async (changes: readonly SwitchChange[]) => {
      for (const { target, ended, atMs } of changes) {
        ofReader.add(target)
        if (ended !== undefined) days.add(target._id, { fromMs: ended.sinceMs, toMs: atMs, energyMws: ended.energyMws })
      }
      await write(device, changes, context)
    }
    let changes: SwitchChange[] = []
    for await (const log of context.readOf(device, reading)) {
      changes.push(...reader.read(log))
      if (changes.length < batchSize) continue
      await take(changes)
      changes = []
    }
    await take([...changes, ...reader.end()])
    for (const target of ofReader) sources.set(target, collection)
  }
  const { nowMs } = context
  const inOrder = { field: 'deviceId', sort: { timestamp: 1, _id: 1 } } as const
  const presses = new PressReader(switches, { actionOf, onFinding, nowMs })
  await adopt({ ...inOrder, collection: 'activitylogs' }, presses)
  const parts = { hasBetterSource, onFinding, nowMs }
  await adopt({ ...inOrder, collection: 'switchstatelogs' }, new StateLogReader(switches, parts))
  await adopt(
    {
      collection: 'device_consumption_ledger',
      field: 'device_id',
      filter: { switch_id: { $exists: true } },
      sort: { start_ts: 1, _id: 1 },
    },
    new TrackerReader(switches, parts),
  )
  return sources
}

async function write(
  { input: device }: AdoptedDevice,
  changes: readonly SwitchChange[],
  { needs, origin, registry, store, tally }: AdoptionContext,
): Promise<void> {
  for (const change of changes) tally.change(device._id, change)
  const presses = changes.filter(({ collection, isInferred }) => collection === 'activitylogs' && !isInferred)
  const users = presses.map(({ log }) => registry.userOf(log.userId))
  if (users.some((user) => user?.isExact === false)) tally.otherForm('activitylogs')
  if (store !== undefined) {
    const tariff = registry.tariffOf(device.classroom)
    await needs.ledger.append(changes.map((change) => eventOf(device, change, registry.rates.at(tariff, change.atMs))))
    const causeOf = (trigger: unknown) => origin.valueOf('activitylogs', 'triggeredBy', trigger)
    await needs.activities.record(
      presses.map((press, at) => activityOf(device, press, { causeOf, user: users[at]?.id })),
    )
    await store.flush()
  }
  tally.adopt('ledgerEntries', changes.length)
  tally.adopt('activities', presses.length)
}
