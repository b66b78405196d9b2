import type { Document } from 'mongodb'
import { type DeviceInput, deviceEntity } from '../../../devices/device.js'
import { normalizeMacAddress } from '../../../devices/mac-address.js'
import { isCivilDay } from '../../../metering/index.js'
import type { Rooms } from './classrooms.js'
import { whyNotCredible } from './credible.js'
import { type Mapped, Mapping } from './mapped.js'
import type { FoundId, OriginIds } from './origin-ids.js'
import { wholeDeviceSwitch } from './switches.js'
import { dateOf, given, numberOf, shownId, textOf } from './values.js'

/** The user of ours that a document of the origin names; undefined for one that is not adopted. */
export type UserOf = (named: unknown) => FoundId | undefined

export interface SolchainParts {
  readonly rooms: Rooms
  readonly ids: OriginIds
  /** The user that a document names, if it is adopted. */
  readonly userOf: UserOf
  readonly energyRoleOf: (type: unknown) => DeviceInput['energyRole']
}

/** Devices with a MAC address and an owner, all with one channel. None has a room: they go to the site that is named. */
export function mapSolchainDevices(documents: readonly Document[], parts: SolchainParts): Mapped<DeviceInput> {
  const mapping = new Mapping('iot_devices', deviceEntity.inputSchema)
  const byAddress = new Map<string, string>()
  for (const document of documents) {
    const { user_id, mac_address, device_name, device_type } = document
    const _id = parts.ids.of(document)
    const owner = parts.userOf(user_id)?.id
    const macAddress = normalizeMacAddress(mac_address)
    const other = macAddress === undefined ? undefined : byAddress.get(macAddress)
    if (_id === undefined) mapping.leave(document, 'it has no id')
    else if (owner === undefined)
      mapping.leave(
        document,
        `of a user that is not there${macAddress === undefined ? ', and without a MAC address' : ''}`,
      )
    else if (macAddress === undefined) mapping.leave(document, 'no MAC address')
    else if (other !== undefined) mapping.leave(document, `the MAC address of ${other} in another spelling`)
    else {
      const isAdded = mapping.add(document, {
        _id,
        macAddress,
        owner,
        name: textOf(device_name) ?? macAddress,
        classroom: parts.rooms.findOrName(undefined)._id,
        energyRole: parts.energyRoleOf(device_type),
        switches: [wholeDeviceSwitch(_id, [])],
        ...given('firmwareVersion', textOf(document.firmware_version)),
      })
      if (!isAdded) continue
      byAddress.set(macAddress, shownId(document._id))
      mapping.note(document, `it has no room, and went to ${parts.rooms.none}`)
    }
  }
  return mapping
}

/** A row of energy that fits; energies in kWh. */
export interface EnergyRow {
  readonly at: Date
  readonly producedKwh: number
  readonly consumedKwh: number
  readonly batteryPercent: number | undefined
}

/** What a row says, or why it cannot be used. Texts without a zone are UTC, numbers are epoch milliseconds, or seconds. */
export function energyRowOf(
  { timestamp, energy_produced, energy_consumed, battery_level }: Document,
  nowMs: number,
): EnergyRow | string {
  const at = instantOf(timestamp)
  const [produced, consumed] = [numberOf(energy_produced), numberOf(energy_consumed)]
  if (at === undefined) return 'a time in a form that is not known'
  const incredible = whyNotCredible(at, nowMs)
  if (incredible !== undefined) return incredible
  if (produced === undefined || consumed === undefined) return 'no number'
  if (produced < 0 || consumed < 0) return 'less than nothing'
  const battery = numberOf(battery_level)
  if (battery !== undefined && battery > 100) return 'a battery of more than 100 %'
  return { at, producedKwh: produced, consumedKwh: consumed, batteryPercent: battery }
}

/** Before this a number is seconds. */
const leastMs = 1e11
const knownTime = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,9})?)Z?$/

/** An instant of a row; undefined in a form that is not known. */
export function instantOf(value: unknown): Date | undefined {
  if (typeof value === 'number' && Number.isInteger(value)) return new Date(value >= leastMs ? value : value * 1000)
  const [, day, time] = typeof value === 'string' ? (knownTime.exec(value) ?? []) : []
  if (day === undefined || !isCivilDay(day)) return dateOf(value)
  return dateOf(new Date(`${day}T${time}Z`))
}
