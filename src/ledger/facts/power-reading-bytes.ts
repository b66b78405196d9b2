import { ByteMark } from '../entry/byte-mark.js'
import { elements } from '../entry/entry-bytes.js'
import { viewOf } from '../entry/hash-bytes.js'
import type { StoredBytes } from '../entry/stored-bytes.js'

/** How BSON holds a string: its length with the zero at its end, its bytes, the zero. */
function textMark(element: Uint8Array, text: string): ByteMark {
  const bytes = Buffer.from(`\0\0\0\0${text}\0`, 'latin1')
  bytes.writeInt32LE(bytes.length - 4, 0)
  return new ByteMark(Buffer.concat([element, bytes]))
}

const objectIdLength = 12
const eventTypeMark = textMark(elements.eventType, 'power_reading')
const energySourceMark = textMark(elements.energySource, 'power')
const readingMark = new ByteMark(elements.reading)
const powerMark = new ByteMark(elements.powerW)
const gapLimitMark = new ByteMark(elements.gapLimitMs)
const rateMark = new ByteMark(elements.ratePerKwh)

/** Where the fields are that come before anything of another length. */
const timestampAt =
  4 +
  elements._id.length +
  objectIdLength +
  elements.formatVersion.length +
  8 +
  elements.switchId.length +
  objectIdLength +
  elements.sequence.length +
  8 +
  elements.deviceId.length +
  objectIdLength +
  elements.classroom.length +
  objectIdLength +
  elements.timestamp.length
const eventTypeAt = timestampAt + 8 + elements.receivedAt.length + 8
const energySourceAt =
  eventTypeAt + eventTypeMark.length + elements.powerState.length + 1 + elements.powerRating.length + 8
const readingAt = energySourceAt + energySourceMark.length
const powerAt = readingAt + readingMark.length + 4

/**
 * What a reading of a power says of energy, straight out of the bytes of its entry. Most entries of a fleet are such readings:
 * to read these four numbers takes a small part of the time of reading the entry.
 */
export class PowerReadingBytes {
  atMs = 0
  powerW = 0
  gapLimitMs = 0
  ratePerKwh = 0

  /** @param entry One that is an entry to the byte. @returns false if it is another one than a reading of a consumed or fed-back power. */
  read({ buffer, start }: StoredBytes): boolean {
    const view = viewOf(buffer)
    if (!eventTypeMark.isAt(view, start + eventTypeAt) || !energySourceMark.isAt(view, start + energySourceAt))
      return false
    if (!readingMark.isAt(view, start + readingAt) || !powerMark.isAt(view, start + powerAt)) return false
    const readingStart = start + readingAt + readingMark.length
    const gapLimitAt = readingStart + view.getInt32(readingStart, true)
    const rateAt = gapLimitAt + gapLimitMark.length + 8
    if (!gapLimitMark.isAt(view, gapLimitAt) || !rateMark.isAt(view, rateAt)) return false
    const at = start + timestampAt
    this.atMs = view.getInt32(at + 4, true) * 0x1_0000_0000 + view.getUint32(at, true)
    this.powerW = view.getFloat64(start + powerAt + powerMark.length, true)
    this.gapLimitMs = view.getFloat64(gapLimitAt + gapLimitMark.length, true)
    this.ratePerKwh = view.getFloat64(rateAt + rateMark.length, true)
    return true
  }
}
