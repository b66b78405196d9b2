import type { Document, ObjectId } from 'mongodb'
import { type DeviceInput, deviceEntity } from '../../../devices/device.js'
import { normalizeMacAddress } from '../../../devices/mac-address.js'
import { ownNames, typeByPins } from '../../earlier-devices.js'
import type { Rooms } from './classrooms.js'
import { credibleDateOf } from './credible.js'
import { type Mapped, Mapping } from './mapped.js'
import type { OriginIds } from './origin-ids.js'
import {
  type KindRatings,
  type KnownSwitch,
  keptIds,
  pinOf,
  ratingOf,
  type SwitchInput,
  switchesOf,
} from './switches.js'
import { dateOf, given, idOf, isGiven, shownId, textOf } from './values.js'

/** Device parts: what devices are mapped with. */
export interface DeviceParts {
  readonly rooms: Rooms
  readonly kinds: KindRatings
  readonly ids: OriginIds
  /** Epoch milliseconds. */
  readonly nowMs: number
  /** The switches of our devices that are there already, by the ids of the devices. */
  readonly known: ReadonlyMap<string, readonly KnownSwitch[]>
}

const shortestSecret = 16

/** Devices with a MAC address and switches on pins of their own. A device without a room goes to `unassigned`. */
export function mapDevices(documents: readonly Document[], parts: DeviceParts): Mapped<DeviceInput> {
  const mapping = new Mapping('devices', deviceEntity.inputSchema)
  const byAddress = new Map<string, string>()
  const owners = ownersOf(parts.known)
  for (const document of documents) {
    const _id = parts.ids.of(document)
    const macAddress = normalizeMacAddress(document.macAddress)
    const pins = switchesOf(document).map(pinOf)
    const other = macAddress === undefined ? undefined : byAddress.get(macAddress)
    if (_id === undefined) mapping.leave(document, 'it has no id')
    else if (macAddress === undefined) mapping.leave(document, 'no MAC address')
    else if (pins.includes(undefined) || new Set(pins).size < pins.length)
      mapping.leave(document, 'a switch without a pin, or two on one pin')
    else if (other !== undefined) mapping.leave(document, `the MAC address of ${other} in another spelling`)
    else if (add(mapping, document, { _id, macAddress, owners }, parts)) byAddress.set(macAddress, shownId(_id))
  }
  return mapping
}

function add(
  mapping: Mapping<DeviceInput>,
  document: Document,
  { owners, ...identity }: { readonly _id: ObjectId; readonly macAddress: string; readonly owners: SwitchOwners },
  { rooms, kinds, known, nowMs }: DeviceParts,
): boolean {
  const { status, deviceSecret, classroom } = document
  const secret = textOf(deviceSecret)
  const isUsable = rooms.isUsable(classroom)
  const isLongEnough = secret !== undefined && secret.length >= shortestSecret
  const own = shownId(identity._id)
  const isTaken = (id: ObjectId) => (owners.get(id.toHexString()) ?? own) !== own
  const ids = keptIds({ id: own, switches: switchesOf(document) }, known.get(own) ?? [], isTaken)
  const inputs = switchesOf(document).map((one, at) => ({
    ...given('_id', ids[at]),
    ...switchInput(one, kinds, nowMs),
  }))
  const names = ownNames(inputs)
  const switches = inputs.map((one, at) => ({ ...one, name: names[at] ?? one.name }))
  const isAdded = mapping.add(document, {
    ...identity,
    name: textOf(document.name) ?? identity.macAddress,
    classroom: rooms.findOrName(isUsable ? classroom : undefined)._id,
    type: typeByPins(
      {},
      switches.map((one) => ({ energySource: 'rated', ...one })),
    ),
    switches,
    ...(status === 'online' || status === 'offline' ? { status } : {}),
    ...given('lastSeenAt', credibleDateOf(document.lastSeen, nowMs)),
    ...(isLongEnough ? { secret } : {}),
  })
  if (!isAdded) return false
  if (status !== undefined && status !== 'online' && status !== 'offline') {
    mapping.note(document, 'its status has no counterpart')
  }
  if (secret === undefined) mapping.note(document, 'it has no secret: give it one')
  else if (!isLongEnough)
    mapping.note(document, `its secret is shorter than ${shortestSecret} characters: give it another`)
  noteSwitches(mapping, document, isTaken)
  const times = [document.lastSeen, ...switchesOf(document).map(({ lastStateChange }) => lastStateChange)]
  if (times.some((time) => dateOf(time) !== undefined && credibleDateOf(time, nowMs) === undefined))
    mapping.note(document, 'it was seen or switched before 2020, or later than now: that was left out')
  for (const id of ids) owners.set(id.toHexString(), own)
  if (!isUsable) mapping.note(document, `what it has for a room is no name of one, and it went to ${rooms.none}`)
  else if (rooms.isNone(classroom)) mapping.note(document, `it has no room, and went to ${rooms.none}`)
  return true
}

/** Which device each switch is of, by their ids. */
type SwitchOwners = Map<string, string>

function ownersOf(known: DeviceParts['known']): SwitchOwners {
  return new Map([...known].flatMap(([device, switches]) => switches.map(({ _id }) => [_id.toHexString(), device])))
}

/** Says what of the list of switches is not as it was there. */
function noteSwitches(mapping: Mapping<DeviceInput>, document: Document, isTaken: (id: ObjectId) => boolean): void {
  const { switches } = document
  const found = switchesOf(document)
  if (isGiven(switches) && !Array.isArray(switches))
    mapping.note(document, 'its switches are no list, and were left out')
  else if (Array.isArray(switches) && found.length < switches.length)
    mapping.note(document, 'something among its switches is none, and was left out')
  const isShared = found.some(({ _id }) => {
    const id = idOf(_id)
    return id !== undefined && isTaken(id)
  })
  if (isShared) mapping.note(document, 'a switch of it has the id of one of another device, and got an id of its own')
}

function switchInput(one: Document, kinds: KindRatings, nowMs: number): SwitchInput {
  const { manualMode, manualSwitchGpio, state } = one
  const isMode = manualMode === 'momentary' || manualMode === 'maintained'
  return {
    name: textOf(one.name) ?? `gpio ${pinOf(one)}`,
    gpio: pinOf(one) ?? -1,
    powerRating: ratingOf(one, kinds),
    ...given('type', textOf(one.type)),
    ...(typeof manualSwitchGpio === 'number' ? { manualGpio: manualSwitchGpio } : {}),
    ...(isMode ? { manualMode } : {}),
    ...(typeof state === 'boolean' ? { state } : {}),
    ...given('stateAt', credibleDateOf(one.lastStateChange, nowMs)),
  }
}
