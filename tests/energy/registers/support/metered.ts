import { ObjectId } from 'mongodb'
import type { AutoVolt } from '../../../../src/autovolt.js'
import type { Device, DeviceInput } from '../../../../src/devices/device.js'
import type { LedgerEntry } from '../../../../src/ledger/entry/entry.js'
import { type Fact, factOf, inOrder } from '../../../../src/ledger/facts/fact.js'
import { SwitchMeter } from '../../../../src/ledger/facts/switch-meter.js'
import { gapLimitMs, splitStretch } from '../../../../src/metering/index.js'
import { anEvent, type HostEvent } from '../../../ledger/support/events.js'
import { aClassroom, aDevice, aSwitch } from '../../../support/builders.js'
import type { TestDatabase } from '../../../support/database.js'

const quarterMs = 900_000
/** A quarter hour in the past. */
export const noonMs = Date.parse('2026-03-02T12:00:00Z')

/** What a meter says at an instant. */
export interface Said {
  readonly atMs: number
  readonly powerW?: number | undefined
  readonly energyWh?: number | undefined
  /** What it says cannot be used: it is refused. */
  readonly isRefused?: boolean
  readonly boot?: string
  readonly sequence: number
}

/** A device with one metered switch whose readings go to the ledger by quarter hours. */
export async function aMeteredDevice(
  volt: AutoVolt,
  channel: Parameters<typeof aSwitch>[0],
  { timeZone = 'Asia/Kathmandu', ...input }: Partial<DeviceInput> & { readonly timeZone?: string } = {},
): Promise<Device> {
  const { _id: classroom } = await volt.classrooms.create(aClassroom({ timeZone }))
  return volt.devices.create(
    aDevice({
      classroom,
      reportingPeriodMs: 60_000,
      ledgerRecording: 'quarter_hours',
      switches: [aSwitch({ _id: new ObjectId(), energySource: 'power', ...channel })],
      ...input,
    }),
  )
}

export function channelOf({ switches }: Device): Device['switches'][number] {
  const [channel] = switches
  if (channel === undefined) throw new Error('The device has no switch')
  return channel
}

export function asMeasurement(device: Device, { atMs, powerW, energyWh, isRefused, boot, sequence }: Said) {
  return {
    timestamp: new Date(atMs),
    meta: { device: device._id, switch: channelOf(device)._id },
    power: isRefused ? 9e8 : powerW,
    counter_wh: energyWh,
    boot,
    sequence_no: sequence,
  }
}

/** The entry that the reading would be if all were recorded. */
export function asEvent(device: Device, { atMs, powerW, energyWh, isRefused, boot, sequence }: Said): HostEvent {
  const { _id, energySource, counterQuantumWh, counterWidthWh, maximumPower } = channelOf(device)
  return anEvent({
    switchId: _id,
    deviceId: device._id,
    classroom: device.classroom!,
    timestamp: new Date(atMs),
    energySource,
    eventType: isRefused ? 'refused_reading' : 'power_reading',
    reading: isRefused ? undefined : { powerW, energyWh, counterQuantumWh, counterWidthWh, maximumPower },
    gapLimitMs: gapLimitMs(device.reportingPeriodMs),
    metadata: { source: 'mqtt', bootId: boot, deviceSequence: sequence },
    idempotencyKey: `${boot}:${sequence}`,
  })
}

/** mW·s, what was consumed less what was produced, by the start of each quarter hour of which something is known. */
export type QuarterEnergy = ReadonlyMap<string, number>

/** What the readings come to when all are known at once. */
export function energyOf(device: Device, said: readonly Said[]): QuarterEnergy {
  return byQuarter(said.flatMap((one) => factOf(asEvent(device, one)) ?? []))
}

/** What the ledger says. */
export async function energyInLedger({ db }: TestDatabase, device: Device): Promise<QuarterEnergy> {
  const entries = await entriesOf({ db }, device)
  return byQuarter(entries.flatMap((entry) => factOf(entry) ?? []))
}

/** In the order in which they were written. */
export function entriesOf({ db }: Pick<TestDatabase, 'db'>, device: Device): Promise<LedgerEntry[]> {
  const ofSwitch = { switchId: channelOf(device)._id }
  return db.collection<LedgerEntry>('power_consumption_ledger').find(ofSwitch).sort({ sequence: 1 }).toArray()
}

function byQuarter(facts: readonly Fact[]): QuarterEnergy {
  const energy = new Map<string, number>()
  for (const { stretch } of new SwitchMeter().take(inOrder(facts))) {
    if (stretch.quality === 'missing' || stretch.toMs === stretch.fromMs) continue
    const cuts: number[] = []
    for (let at = quarterOf(stretch.fromMs); at < stretch.toMs; at += quarterMs) cuts.push(at)
    for (const part of splitStretch(stretch, cuts)) {
      const key = new Date(quarterOf(part.fromMs)).toISOString()
      energy.set(key, (energy.get(key) ?? 0) + part.consumedMws - part.producedMws)
    }
  }
  return new Map([...energy].sort(([a], [b]) => (a < b ? -1 : 1)))
}

function quarterOf(atMs: number): number {
  return Math.floor(atMs / quarterMs) * quarterMs
}
