import { objectId } from '../core/fields.js'
import { isRecord } from '../core/is-record.js'
import { refused } from '../core/repository/data.js'
import type { Device } from './device.js'

const idSchema = objectId()

type Given = Readonly<Record<string, unknown>>
type Known = Device['switches'][number]

/**
 * The switches as they are given, each with the id of the device's switch that has the same gpio, unless the input names
 * another: an id is what a ledger's chain hangs on. What ingestion knows of the switch stays with it.
 * @throws ValidationError where a switch would get another id, and its chain end.
 */
export function keepSwitches(given: readonly unknown[], known: readonly Known[]): unknown[] {
  const named = new Set(given.map((one) => (isRecord(one) ? idOf(one) : undefined)))
  return given.map((one, index) => {
    if (!isRecord(one)) return one
    const id = idOf(one)
    const sameGpio = known.find(({ gpio }) => gpio === one.gpio)
    const same = one._id === undefined ? sameGpio : known.find(({ _id }) => _id.toHexString() === id)
    if (same !== undefined) return kept(one, same)
    if (sameGpio !== undefined && !named.has(sameGpio._id.toHexString()))
      throw refused('The device', `switches.${index}._id`, 'is another than that of the switch with this gpio', one._id)
    return one
  })
}

function kept(given: Given, { _id, state, stateAt, manualOverride, powerRating }: Known): Given {
  return {
    powerRating,
    manualOverride,
    ...(state === undefined ? {} : { state }),
    ...(stateAt === undefined ? {} : { stateAt }),
    ...withoutUndefined(given),
    _id,
  }
}

/** In hexadecimal digits; undefined for what is no id, which the schema refuses. */
function idOf({ _id }: Given): string | undefined {
  const parsed = idSchema.safeParse(_id)
  return parsed.success ? parsed.data.toHexString() : undefined
}

function withoutUndefined(given: Given): Given {
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined))
}
