import type { Document, ObjectId } from 'mongodb'
import type { DeviceInput } from '../../../devices/device.js'
import { derivedId, idKey, idOf, looseId, looseKey, shownId, textOf } from './values.js'

/** W by kind of switch, with `default`. */
export type KindRatings = Readonly<Record<string, number>>
export type SwitchInput = NonNullable<DeviceInput['switches']>[number]

/** A switch of ours, as far as switches of the origin are recognised by it. */
export interface KnownSwitch {
  readonly _id: ObjectId
  readonly name: string
  readonly gpio: number
}

/** Under which id and name the origin has had a switch. */
export interface SwitchAlias {
  readonly switchId: ObjectId
  readonly originId: string
  readonly name: string
}

/** A switch of the origin that is adopted. */
export interface AdoptedSwitch {
  /** Its id here, which does not change although the origin's does. */
  readonly _id: ObjectId
  /** The id that the origin has for it now. */
  readonly originId: string
  readonly name: string | undefined
  /** The ids and names that it has had there before. */
  readonly aliases: readonly SwitchAlias[]
  /** W; what its load takes as far as the origin knows. */
  readonly ratingW: number
}

const fallbackRatingW = 50
/** The number of the channel that stands for a device as a whole: no relay is on such a pin. */
const wholeDeviceGpio = 255

export function switchesOf({ switches }: Document): readonly Document[] {
  return Array.isArray(switches) ? switches.filter((one) => typeof one === 'object' && one !== null) : []
}

/** Where the two differ, `relayGpio` is the relay's. */
export function pinOf({ relayGpio, gpio }: Document): number | undefined {
  const pin = relayGpio ?? gpio
  return Number.isInteger(pin) ? pin : undefined
}

/** W; what the load of a switch takes as far as the origin knows: its own rating, else that of its kind. */
export function ratingOf({ powerRating, type }: Document, kinds: KindRatings): number {
  if (typeof powerRating === 'number' && powerRating > 0) return powerRating
  const kind = String(type)
  return (Object.hasOwn(kinds, kind) ? kinds[kind] : kinds.default) ?? fallbackRatingW
}

/**
 * The ids of a device's switches here, in their order. The origin gives all of them new ones at each edit, so those of ours
 * are found by id, else by name, else by pin.
 * @param id That of the device here.
 * @param isTaken Whether a switch of another device has the id: a copy of a device may have those of its original.
 */
export function keptIds(
  { id, switches }: { readonly id: string; readonly switches: readonly Document[] },
  known: readonly KnownSwitch[],
  isTaken: (id: ObjectId) => boolean,
): ObjectId[] {
  const kept = new Map<Document, ObjectId>()
  const isSame = [
    (one: Document, { _id }: KnownSwitch) => looseId(one._id) === _id.toHexString(),
    (one: Document, { name }: KnownSwitch) => textOf(one.name) === name,
    (one: Document, { gpio }: KnownSwitch) => pinOf(one) === gpio,
  ]
  const free = new Map(known.map((one) => [one._id.toHexString(), one]))
  for (const isMatch of isSame) {
    for (const one of switches.filter((other) => !kept.has(other))) {
      const match = [...free.values()].find((other) => isMatch(one, other))
      if (match === undefined) continue
      kept.set(one, match._id)
      free.delete(match._id.toHexString())
    }
  }
  const used = new Set([...kept.values()].map(shownId))
  return switches.map((one) => {
    const own = idOf(one._id)
    const free = own !== undefined && !isTaken(own) && !used.has(shownId(own)) ? own : undefined
    const found = kept.get(one) ?? free ?? derivedId('switch', id, String(one.name))
    used.add(shownId(found))
    return found
  })
}

/**
 * The switches of a device that is adopted, in their order.
 * @param aliases Under which ids and names the origin has had them in earlier runs.
 */
export function adoptedSwitches(
  device: Document,
  input: DeviceInput,
  kinds: KindRatings,
  aliases: readonly SwitchAlias[],
): AdoptedSwitch[] {
  return switchesOf(device).flatMap((one, at) => {
    const _id = idOf(input.switches?.[at]?._id)
    if (_id === undefined) return []
    const ofSwitch = aliases.filter(({ switchId }) => switchId.equals(_id))
    const ratingW = ratingOf(one, kinds)
    return { _id, originId: idKey(one._id), name: textOf(one.name), aliases: ofSwitch, ratingW }
  })
}

/** The channel of what is known of a device as a whole: readings of a meter, totals of days. */
export function wholeDeviceId(device: ObjectId): ObjectId {
  return derivedId('whole device', device.toHexString())
}

/** @param taken The pins that the device's switches have. */
export function wholeDeviceSwitch(device: ObjectId, taken: readonly number[]): SwitchInput & { gpio: number } {
  let gpio = wholeDeviceGpio
  while (taken.includes(gpio)) gpio -= 1
  return { _id: wholeDeviceId(device), name: 'Whole device', gpio, type: 'meter', powerRating: 0 }
}

/** Under which ids and names the origin has the switches now. */
export function aliasesOf(switches: readonly AdoptedSwitch[]): SwitchAlias[] {
  return switches.map(({ _id, originId, name = '' }) => ({
    switchId: _id,
    originId: originId.slice(0, 1100),
    name: name.slice(0, 200),
  }))
}

/**
 * The switch that a document names: by its id, then or now, else by its name, for ids do not last in the origin; else by an id
 * or a name that it had before.
 */
export function switchOf(
  switches: readonly AdoptedSwitch[],
  { switchId, switchName }: { readonly switchId?: unknown; readonly switchName?: unknown },
): AdoptedSwitch | undefined {
  const [key, id, name] = [idKey(switchId), looseId(switchId), textOf(switchName)]
  const isAlike = (originId: string) => originId === key || looseKey(originId) === id
  return (
    switches.find(({ originId }) => originId === key) ??
    switches.find(({ _id, originId }) => looseKey(originId) === id || _id.toHexString() === id) ??
    switches.find((one) => name !== undefined && one.name === name) ??
    switches.find(({ aliases }) => aliases.some(({ originId }) => isAlike(originId))) ??
    switches.find(({ aliases }) => aliases.some((alias) => alias.name === name))
  )
}
