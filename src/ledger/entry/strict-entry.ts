import { ByteMark } from './byte-mark.js'
import { type ElementName, elementMarks } from './element-marks.js'
import { energySources, entryFlags, entrySources, entryTypes, numberLimits, textLimits } from './entry-limits.js'
import { entryFormatVersion } from './format-version.js'
import { genesisHash } from './hash.js'
import { hashBytes } from './hash-bytes.js'
import { KnownShapes } from './known-shapes.js'
import { carriedHash, computedHash, previousHash, type StoredBytes, sequenceOf } from './stored-bytes.js'
import { type Field, StrictCursor } from './strict-cursor.js'

/**
 * Why the bytes are no entry as docs/ledger-format.md, section 1, lays one out; undefined if they are one. Whether it carries
 * the hash that it has, and follows on the entry before it, is another question.
 */
export type EntryFaultOf = (entry: StoredBytes) => string | undefined

/** A reader that knows no shapes of entries yet. */
export function strictReader(): EntryFaultOf {
  const cursor = new StrictCursor()
  const shapes = new KnownShapes()
  return (entry) => {
    if (shapes.has(cursor.open(entry.buffer), entry)) return undefined
    const fault = cursor.faultOf(entry, readEntry)
    if (fault === undefined && cursor.isShaped) shapes.learn(entry, () => cursor.spansOf(entry, readEntry))
    return fault
  }
}

export const entryFault: EntryFaultOf = strictReader()

/** The hash of an entry's stored bytes, if they are those of an entry that has the hash it carries, and no first one that follows on another. */
export function hashEntry(stored: Buffer): Buffer | undefined {
  const bytes = { buffer: stored, start: 0, length: stored.length }
  if (entryFault(bytes) !== undefined) return undefined
  if (sequenceOf(bytes) === 1 && previousHash(bytes) !== genesisHash) return undefined
  const computed = computedHash(bytes)
  return computed === carriedHash(bytes) ? Buffer.from(computed, 'hex') : undefined
}

const limits: Readonly<Record<string, readonly [minimum: number, maximum: number]>> = { ...numberLimits, ...textLimits }

function fieldOf(name: string, mark: ByteMark): Field {
  const [minimum, maximum] = limits[name] ?? [Number.NaN, Number.NaN]
  return { name, mark, minimum, maximum }
}

const fields = Object.fromEntries(
  Object.entries(elementMarks).map(([name, mark]) => [name, fieldOf(name, mark)]),
) as Readonly<Record<ElementName, Field>>
/** The hash covers everything but itself, so it is no element of what is hashed. */
const hashField = fieldOf('hash', new ByteMark(Buffer.from('\x05hash\0', 'latin1')))

/** How BSON holds a string: its length with the zero at its end, its bytes, the zero. */
function stringMark(text: string): ByteMark {
  const bytes = Buffer.from(`\0\0\0\0${text}\0`, 'utf8')
  bytes.writeInt32LE(bytes.length - 4, 0)
  return new ByteMark(bytes)
}

const marksOf = (texts: readonly string[]) => texts.map(stringMark)
const [typeMarks, energySourceMarks, directionMarks, sourceMarks, flagMarks] = [
  marksOf(entryTypes),
  marksOf(energySources),
  marksOf(['production']),
  marksOf(entrySources),
  marksOf(entryFlags),
]
const typeAt = (type: (typeof entryTypes)[number]) => entryTypes.indexOf(type)
const [switchOn, switchOff, powerReading, refusedReading, manualAdjustment, erasure] = [
  typeAt('switch_on'),
  typeAt('switch_off'),
  typeAt('power_reading'),
  typeAt('refused_reading'),
  typeAt('manual_adjustment'),
  typeAt('erasure'),
]

const [typeString, digitZero] = [0x02, 0x30]
/** The text before the hash in the key of an erasure, and the length of the key. */
const erasureKey = Buffer.from('erasure:', 'latin1')
const erasureKeyLength = erasureKey.length + 2 * hashBytes

function readEntry(cursor: StrictCursor): void {
  if (cursor.begin() !== cursor.end) cursor.refuse('its length is not that of its bytes')
  cursor.skip(fields._id, 12)
  readVersion(cursor)
  cursor.skip(fields.switchId, 12)
  cursor.integer(fields.sequence)
  cursor.skip(fields.deviceId, 12)
  cursor.skip(fields.classroom, 12)
  cursor.date(fields.timestamp)
  cursor.date(fields.receivedAt)
  const type = cursor.oneOf(fields.eventType, typeMarks)
  readPowerState(cursor, type)
  cursor.number(fields.powerRating)
  cursor.oneOf(fields.energySource, energySourceMarks)
  if (cursor.isNext(fields.energyDirection)) cursor.oneOf(fields.energyDirection, directionMarks)
  readReading(cursor, type)
  readAdjustment(cursor, type)
  const erases = readErases(cursor, type)
  cursor.integer(fields.gapLimitMs)
  if (cursor.isNext(fields.silentSince)) cursor.date(fields.silentSince)
  cursor.number(fields.ratePerKwh)
  readFlags(cursor)
  readMetadata(cursor)
  if (cursor.isNext(fields.personalCommitment)) cursor.hash(fields.personalCommitment)
  const keyAt = cursor.at + fields.idempotencyKey.mark.length
  cursor.text(fields.idempotencyKey)
  if (erases !== undefined) requireErasureKey(cursor, keyAt, erases)
  cursor.number(fields.cumulativeEnergy)
  cursor.number(fields.cumulativeProduction)
  cursor.number(fields.calculatedCost)
  cursor.hash(fields.previousHash)
  cursor.hash(hashField)
  cursor.finish(cursor.end, hashField)
}

function readVersion(cursor: StrictCursor): void {
  cursor.take(fields.formatVersion)
  if (cursor.view.getFloat64(cursor.at, true) !== entryFormatVersion) cursor.refuseValue(fields.formatVersion)
  cursor.at += 8
}

function readPowerState(cursor: StrictCursor, type: number): void {
  cursor.boolean(fields.powerState, type === switchOn ? 1 : 0, type === switchOff ? 0 : 1)
}

function readReading(cursor: StrictCursor, type: number): void {
  if (!cursor.isNext(fields.reading)) {
    if (type === powerReading) cursor.refuseMissing(fields.reading)
    return
  }
  if (type === refusedReading) cursor.refuseExtra(fields.reading)
  const end = cursor.document(fields.reading)
  const hasPower = cursor.optional(fields.powerW)
  const hasCounter = cursor.optional(fields.energyWh)
  if (type === powerReading && !hasPower && !hasCounter) cursor.refuseValue(fields.reading)
  cursor.optional(fields.counterQuantumWh)
  cursor.optional(fields.counterWidthWh)
  cursor.optional(fields.maximumPower)
  cursor.finish(end, fields.reading)
}

function readAdjustment(cursor: StrictCursor, type: number): void {
  if (type !== manualAdjustment) {
    if (cursor.isNext(fields.adjustment)) cursor.refuseExtra(fields.adjustment)
    return
  }
  const end = cursor.document(fields.adjustment)
  cursor.number(fields.energyWs)
  cursor.number(fields.productionWs)
  cursor.number(fields.cost)
  cursor.finish(end, fields.adjustment)
}

/** @returns where the hash is that an erasure names. */
function readErases(cursor: StrictCursor, type: number): number | undefined {
  if (type === erasure) {
    // Its key depends on it, which no shape tells.
    cursor.isShaped = false
    cursor.hash(fields.erases)
    return cursor.at - hashBytes
  }
  if (cursor.isNext(fields.erases)) cursor.refuseExtra(fields.erases)
  return undefined
}

/** Each at most once, in their order. */
function readFlags(cursor: StrictCursor): void {
  const end = cursor.document(fields.flags)
  let next = 0
  for (let place = 0; cursor.at < end - 1; place += 1) {
    const hasName =
      cursor.bytes[cursor.at] === typeString &&
      cursor.bytes[cursor.at + 1] === digitZero + place &&
      cursor.bytes[cursor.at + 2] === 0
    if (!hasName) cursor.refuseValue(fields.flags)
    cursor.at += 3
    next = cursor.choice(fields.flags, flagMarks, next) + 1
  }
  cursor.finish(end, fields.flags)
}

function readMetadata(cursor: StrictCursor): void {
  const end = cursor.document(fields.metadata)
  cursor.oneOf(fields.source, sourceMarks)
  cursor.optionalText(fields.firmwareVersion)
  cursor.optional(fields.voltage)
  cursor.optional(fields.current)
  cursor.optional(fields.powerFactor)
  cursor.optional(fields.temperature)
  cursor.optionalText(fields.bootId)
  if (cursor.isNext(fields.deviceSequence)) cursor.integer(fields.deviceSequence)
  cursor.optionalText(fields.originalRecordId)
  cursor.finish(end, fields.metadata)
}

/** It names the erased entry, so that no entry is erased twice. */
function requireErasureKey(cursor: StrictCursor, at: number, erases: number): void {
  const key = cursor.bytes.subarray(at + 4, cursor.at - 1)
  const expected = `${erasureKey}${cursor.bytes.toString('hex', erases, erases + hashBytes)}`
  if (key.length !== erasureKeyLength || key.toString('latin1') !== expected) cursor.refuseValue(fields.idempotencyKey)
}
