import { isUtf8 } from 'node:buffer'
import type { StoredBytes } from '../entry/stored-bytes.js'
import { decodeBase64 } from '../log/base64.js'
import { type ExportHeader, type ExportLine, formatLine } from './export-format.js'

/** The one member of a line. */
export type Line = Readonly<Record<string, unknown>>

/** Personal data in a line. */
export type PersonalLine = Extract<ExportLine, { personal: unknown }>['personal']

/** What the first line may have at most: 53 roots and a name are less. */
const longestHeader = 8192
/** What a note may have at most, in JSON. */
const longestNote = 2_000_100

const openBrace = 0x7b
const entryStart = '{"entry":"'
const entryEnd = '"}\n'
/** It is no UTF-8, and an escape could hide it. */
const halfOfPair = /\p{Cs}/u
const textStart = /^\{"(?:checkpoint|digest)":"/
const personalStart = /^\{"personal":\{"commitment":"[0-9a-f]{64}","salt":"[^"\\]{0,200}","text":"/

/**
 * What a line of an export says. A line has one form, to the byte: no space, no member twice, in another order or unknown, and
 * strings and numbers as `JSON.stringify` writes them. Lines that JSON would read alike are none. What is long is a string:
 * nothing that is nested is ever parsed, but a first line.
 * @returns undefined if it is no line of an export.
 */
export function parseLine(bytes: Buffer): Line | undefined {
  if (bytes[0] !== openBrace) return undefined
  const entry = entryIn(bytes)
  if (entry !== undefined) return { entry }
  if (!isUtf8(bytes)) return undefined
  const start = bytes.toString('utf8', 0, 500)
  const isText = textStart.test(start) && bytes.length <= longestNote
  const isHeader = start.startsWith('{"header":{') && bytes.length <= longestHeader
  if (!isText && !isHeader && !personalStart.test(start)) return undefined
  const text = bytes.toString('utf8')
  const line = isHeader || isOneString(text) ? parsed(text) : undefined
  return line !== undefined && isKnown(line) && formatLine(line) === text ? line : undefined
}

function entryIn(bytes: Buffer): string | undefined {
  const end = bytes.length - entryEnd.length
  if (bytes.toString('latin1', 0, entryStart.length) !== entryStart || bytes.toString('latin1', end) !== entryEnd)
    return undefined
  // What is not base64 is found when it is decoded.
  return bytes.toString('latin1', entryStart.length, end)
}

/** Whether the last string of the line goes on up to its end: then there is nothing nested in it. */
function isOneString(text: string): boolean {
  const quote = text.startsWith('{"personal"') ? '"text":"' : '":"'
  let at = text.indexOf(quote) + quote.length
  for (; at < text.length && text[at] !== '"'; at += 1) if (text[at] === '\\') at += 1
  const rest = text.slice(at)
  return rest === '"}\n' || rest === '"}}\n'
}

function parsed(text: string): ExportLine | undefined {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Whether the members are the known ones, in their order; that there are no more shows when it is written again. */
function isKnown(line: ExportLine): boolean {
  if ('header' in line) return isHeader(line.header)
  if ('personal' in line) {
    const { personal } = line
    return hasMembers(personal, ['commitment', 'salt', 'text']) && !halfOfPair.test(personal.text)
  }
  return hasMembers(line, ['checkpoint']) || hasMembers(line, ['digest'])
}

function isHeader(header: ExportHeader): boolean {
  return (
    hasMembers(header, ['format', 'origin', 'fromSize', 'frontier', 'size']) &&
    typeof header.origin === 'string' &&
    Number.isSafeInteger(header.size) &&
    Array.isArray(header.frontier)
  )
}

function hasMembers(value: unknown, names: readonly string[]): boolean {
  if (typeof value !== 'object' || value === null) return false
  const found = Object.keys(value)
  return found.length === names.length && names.every((name, at) => found[at] === name)
}

/** What makes a line none that was written by another program, in words; nothing if it is another reason. */
export function formOf(bytes: Buffer): string {
  if (bytes.length >= 3 && bytes.readUIntBE(0, 3) === 0xefbbbf) return ': it begins with a byte-order mark'
  if (bytes.toString('latin1', bytes.length - 2) === '\r\n') return ': it ends with CRLF in place of a line feed'
  return ''
}

/** The bytes of an entry's line; undefined for what is no whole document. */
export function exportedEntry(text: string): StoredBytes | undefined {
  const stored = decodeBase64(text)
  if (stored === undefined || stored.length < 4 || stored.readInt32LE(0) !== stored.length) return undefined
  return { buffer: stored, start: 0, length: stored.length }
}
