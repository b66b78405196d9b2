import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { Binary, BSON } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { golden, storedEntriesOf } from './golden-files.js'

const page = readFileSync(new URL('../../../docs/ledger-format.md', import.meta.url), 'utf8')
const example = page.slice(page.indexOf('\n## 10.'))
const blocks = [...example.matchAll(/^```text\n(.*?)^```$/gms)].map(([, block = '']) => block.trimEnd().split('\n'))
const [entryLines, hashLines, keyLines, checkpointLines, keyBytesLines, leafLines, personalLines] = blocks

const hex = (lines: readonly string[] | undefined) => Buffer.from((lines ?? []).join(''), 'hex')
const sha256 = (...parts: readonly (string | Uint8Array)[]) =>
  parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest()

// Computed here as the page says, without the library.
describe('the example on the page about the format', () => {
  const entry = hex(entryLines)

  it('is the first entry of the golden ledger, and a document as MongoDB knows it', () => {
    expect(entry).toEqual(storedEntriesOf(golden('v1', 'export.jsonl'))[0])
    expect(entry).toHaveLength(546)
    const previousHash = new Binary(Buffer.alloc(32))
    expect(BSON.deserialize(entry)).toMatchObject({ sequence: 1, eventType: 'switch_on', previousHash })
  })

  it('has the hash that it says', () => {
    const body = Buffer.concat([entry.subarray(0, -44), Buffer.of(0)])
    body.writeInt32LE(body.length, 0)
    expect(body.toString('hex', 0, 4)).toBe('f7010000')
    expect(sha256(Buffer.of(0), 'autovolt-ledger-entry\n', body).toString('hex')).toBe(hashLines?.[0])
    expect(BSON.deserialize(entry).hash.toString('hex')).toBe(hashLines?.[0])
  })

  it('has the fixed places that the page tells', () => {
    const at = (from: number, name: string) => entry.indexOf(Buffer.from(name)) - from
    expect(['_id\0', 'formatVersion\0', 'switchId\0', 'sequence\0'].map((name) => at(1, name))).toEqual([4, 21, 44, 66])
    expect([at(1, 'previousHash\0'), entry.lastIndexOf('\x05hash\0')]).toEqual([546 - 95, 546 - 44])
  })

  it('has the id of its key', () => {
    const [, id, encoded = ''] = /^[^+]+\+(\w{8})\+(.*)$/.exec(keyLines?.[0] ?? '') ?? []
    const bytes = hex(keyBytesLines)
    expect(sha256(bytes).toString('hex', 0, 4)).toBe(id)
    expect(bytes).toEqual(Buffer.concat([Buffer.from('school.example/energy\n'), Buffer.from(encoded, 'base64')]))
    expect(golden('v1', 'keys.txt').split('\n')[0]).toBe(keyLines?.[0])
  })

  it('has the root of its three leaves', () => {
    const [first, second, third] = (leafLines ?? []).map((leaf) => Buffer.from(leaf, 'hex'))
    const left = sha256(Buffer.of(1), first ?? '', second ?? '')
    expect(checkpointLines?.slice(0, 3)).toEqual([
      'school.example/energy',
      '3',
      sha256(Buffer.of(1), left, third ?? '').toString('base64'),
    ])
    expect(`${checkpointLines?.join('\n')}\n`).toBe(golden('v1', 'first-checkpoint.txt'))
    expect(leafLines?.[0]).toBe(hashLines?.[0])
  })

  it('has the commitment of its personal data', () => {
    const [text = '', salt = '', commitment] = personalLines ?? []
    const found = sha256('autovolt-ledger-personal\n', Buffer.from(salt, 'hex'), text)
    expect(found.toString('hex')).toBe(commitment)
  })

  it('is of a file whose digest is computed as the page says', () => {
    const exported = golden('v1', 'export.jsonl')
    const end = exported.lastIndexOf('{"digest":')
    const { digest } = JSON.parse(exported.slice(end)) as { digest: string }
    expect(digest.slice(0, digest.indexOf('\n\n') + 1)).toBe(
      `autovolt-ledger-export/1\nschool.example/energy\n0 11\n${sha256(exported.slice(0, end)).toString('base64')}\n3e7e08f3 4fa2556f\n`,
    )
  })
})
