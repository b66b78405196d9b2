import type { Device } from './device.js'

type Given = Readonly<Record<string, unknown>>
type Known = Device['switches'][number]

/**
 * The switches as they are given, each with the id of the device's switch that has the same gpio, unless the input names
 * another: an id is what a ledger's chain hangs on. What ingestion knows of the switch stays with it.
 */
export function keepSwitches(given: readonly unknown[], known: readonly Known[]): unknown[] {
  return given.map((one) => {
    if (typeof one !== 'object' || one === null) return one
    const { _id, gpio } = one as Given
    const same = known.find((other) =>
      _id === undefined ? other.gpio === gpio : other._id.equals(_id as Known['_id']),
    )
    if (same === undefined) return one
    const { state, stateAt } = same
    return {
      ...(state === undefined ? {} : { state }),
      ...(stateAt === undefined ? {} : { stateAt }),
      ...one,
      _id: same._id,
    }
  })
}
