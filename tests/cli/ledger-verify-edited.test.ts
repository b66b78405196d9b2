import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { anEntry, carried, fileOf, keys, nextEntry, signed, storedBytesOf } from '../ledger/vectors/parts.js'
import { cleanUpLater } from '../support/clean-up.js'
import { full } from '../support/extent.js'
import { runAutovolt } from './support/run-command.js'

/** In the long form more than a call may have arguments, as the audit of a chain is always tried with. */
const count = full ? 130_000 : 20_000

/** A chain, made byte by byte: each entry is the one before with another number, and the hashes that follow from it. */
function chain(): Buffer[] {
  const first = anEntry()
  let last = storedBytesOf(first)
  const entries = [last]
  const template = storedBytesOf(nextEntry(first))
  const numberAt = template.indexOf('\x01sequence\0', 'latin1') + 10
  while (entries.length < count) {
    const entry = Buffer.from(template)
    entry.writeDoubleLE(entries.length + 1, numberAt)
    carried(last).copy(entry, entry.length - 76)
    hashOf(entry).copy(entry, entry.length - 33)
    entries.push(entry)
    last = entry
  }
  return entries
}

function hashOf(entry: Buffer): Buffer {
  const body = Buffer.concat([entry.subarray(0, -44), Buffer.of(0)])
  body.writeInt32LE(body.length)
  return createHash('sha256').update('\0autovolt-ledger-entry\n').update(body).digest()
}

/** The power is another one, and the hash still that of the entry as it was. */
function edited(entry: Buffer): Buffer {
  const changed = Buffer.from(entry)
  changed.writeDoubleLE(60, changed.indexOf('\x01powerRating\0', 'latin1') + 13)
  return changed
}

it(`ends with 1 for ${count} edited entries in one chain, with a report of them`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'autovolt-edited-'))
  cleanUpLater(() => rm(folder, { recursive: true }))
  const file = join(folder, 'edited.jsonl')
  await writeFile(file, signed(fileOf(chain().map(edited))))
  const { code, out, errors } = await runAutovolt(['ledger', 'verify', file, '--key', keys.verifierKey])
  expect(code).toBe(1)
  const report = JSON.parse(out)
  expect(report).toMatchObject({ valid: false, entries: count, chains: 1, findingCount: count })
  expect(report.findings).toHaveLength(1000)
  // Of a chain that was not linked there would be findings of other kinds.
  expect(report.findings[999]).toMatchObject({ damage: 'edited', where: 'entry', sequence: 1000 })
  expect(errors).toContain(`${count - 1000} more findings are not shown.`)
}, 600_000)
