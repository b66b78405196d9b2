import { Binary, BSON } from 'mongodb'
import { describe, expect, it } from 'vitest'
import type { LedgerEntry } from '../../../src/ledger/entry/entry.js'
import { golden as goldenFile } from '../golden/golden-files.js'
import { firstKeys, origin } from '../golden/inputs.js'
import { withHash } from '../support/chains.js'
import { golden, signedFile, verifyText } from '../support/signed-file.js'
import { toStoredEntry } from '../support/stored-entry.js'
import { testLogKeys } from '../support/test-keys.js'

const text = goldenFile('v1', 'export.jsonl')
const lines = text.split(/(?<=\n)/).slice(0, -1)
const placeOf = (start: string) => lines.findIndex((line) => line.startsWith(start))
const withLine = (at: number, line: string) => signedFile(lines.with(at, line))
const entryLine = (entry: LedgerEntry) => {
  const stored = BSON.serialize(toStoredEntry(withHash(entry)), { ignoreUndefined: true })
  return `${JSON.stringify({ entry: Buffer.from(stored).toString('base64') })}\n`
}
const entryAt = (at: number) =>
  BSON.deserialize(Buffer.from(JSON.parse(lines[at]!).entry as string, 'base64')) as LedgerEntry
const found = (damage: string, where: string) =>
  expect.objectContaining({
    valid: false,
    findings: expect.arrayContaining([expect.objectContaining({ damage, where })]),
  })

// Whoever has the key can sign any file: that it is signed does not make it sound.
describe('an export that its signer has tampered with', () => {
  it('verifies as long as nothing was', async () => {
    expect(await verifyText(signedFile(lines))).toMatchObject({ valid: true, findings: [] })
  })

  it('is damaged where an entry was written anew with a fitting hash', async () => {
    const changed = entryLine({ ...entryAt(3), cumulativeEnergy: 1 })
    expect(await verifyText(withLine(3, changed))).toEqual(found('rewritten', 'tree'))
  })

  it('is damaged where an entry has another hash than its bytes', async () => {
    const entry = { ...entryAt(1), powerRating: 74 }
    const stored = BSON.serialize(toStoredEntry(entry), { ignoreUndefined: true })
    const line = `${JSON.stringify({ entry: Buffer.from(stored).toString('base64') })}\n`
    expect(await verifyText(withLine(1, line))).toEqual(found('edited', 'entry'))
  })

  it('is damaged where the hash of an entry is of another subtype', async () => {
    const stored = Buffer.from(JSON.parse(lines[1]!).entry as string, 'base64')
    stored[stored.length - 34] = Binary.SUBTYPE_USER_DEFINED
    const line = `${JSON.stringify({ entry: stored.toString('base64') })}\n`
    expect(await verifyText(withLine(1, line))).toEqual(found('edited', 'export'))
  })

  it('is of an unknown version where an entry says so', async () => {
    const entry = { ...entryAt(1), formatVersion: 2 } as unknown as LedgerEntry
    expect(await verifyText(withLine(1, entryLine(entry)))).toEqual(found('unknown_version', 'entry'))
  })

  it.each([
    ['an entry that is no base64', '{"entry":"*"}\n'],
    ['an entry that is nothing', '{"entry":""}\n'],
    ['an entry that is no document', `{"entry":"${Buffer.alloc(300).toString('base64')}"}\n`],
    ['an entry that is a number', '{"entry":5}\n'],
    ['a second header', lines[0]!],
    ['a line of another kind', '{"comment":"all is well"}\n'],
    ['a line with two members', `${lines[1]!.trimEnd().slice(0, -1)},"comment":"all is well"}\n`],
    ['a line that is no object', '[]\n'],
    ['a line that is no JSON', 'all is well\n'],
    ['an empty line', '\n'],
    ['personal data with nothing in it', '{"personal":{}}\n'],
  ])('is damaged by %s', async (_, line) => {
    expect(await verifyText(signedFile(lines.toSpliced(2, 0, line)))).toEqual(found('edited', 'export'))
  })

  it('is damaged where personal data is not what was committed to, or its salt is written in another way', async () => {
    const at = placeOf('{"personal"')
    const { personal } = JSON.parse(lines[at]!) as { personal: { salt: string; text: string } }
    for (const changed of [
      { text: personal.text.replace('Ana', 'Eva') },
      { salt: personal.salt.toUpperCase() },
      { salt: `${personal.salt}zz` },
      { salt: '' },
    ]) {
      const line = `${JSON.stringify({ personal: { ...personal, ...changed } })}\n`
      expect(await verifyText(withLine(at, line))).toEqual(found('edited', 'personal_data'))
    }
  })

  it('is damaged where a checkpoint is missing at its end, or of other leaves', async () => {
    const [first, last] = [placeOf('{"checkpoint"'), lines.length - 1]
    expect(await verifyText(signedFile(lines.toSpliced(last, 1)))).toEqual(found('edited', 'export'))
    expect(await verifyText(signedFile(lines.with(last, lines[first]!)))).toMatchObject({ valid: false })
    const moved = [...lines.slice(0, first), lines[first + 1]!, lines[first]!, ...lines.slice(first + 2)]
    expect(await verifyText(signedFile(moved))).toEqual(found('rewritten', 'tree'))
  })

  it('is damaged where it says that it is of another log', async () => {
    const header = { ...golden, origin: 'other.example' }
    const changed = lines.with(0, `${JSON.stringify({ header })}\n`)
    expect(await verifyText(signedFile(changed, { header }))).toEqual(found('bad_signature', 'export'))
  })

  it('is not believed for the key of another log', async () => {
    const { signerKey, verifierKey } = testLogKeys('other.example')
    expect(await verifyText(signedFile(lines, { signerKeys: [signerKey] }))).toEqual(found('bad_signature', 'export'))
    expect(await verifyText(signedFile(lines), [verifierKey])).toEqual(found('bad_signature', 'export'))
    await expect(verifyText(signedFile(lines), [firstKeys.verifierKey, verifierKey])).rejects.toThrow(/one log/)
    await expect(verifyText(signedFile(lines), [])).rejects.toThrow(/one log/)
  })

  it('names the damage of a long chain without reading it over and over', async () => {
    const chain: LedgerEntry[] = []
    for (let sequence = 1; sequence <= 20_000; sequence += 1) {
      const previousHash = chain.at(-1)?.hash ?? new Binary(Buffer.alloc(32))
      chain.push(withHash({ ...entryAt(1), sequence, previousHash }))
    }
    const header = { ...golden, origin, size: 19_999 }
    const file = [`${JSON.stringify({ header })}\n`, ...chain.toSpliced(5, 1).map(entryLine)]
    const report = await verifyText(signedFile(file, { header }))
    expect(report.findings).toContainEqual(expect.objectContaining({ damage: 'deleted', sequence: 6 }))
  })
})

describe('the first line of an export', () => {
  const withHeader = (header: unknown) => verifyText(signedFile(lines.with(0, `${JSON.stringify({ header })}\n`)))

  it.each([
    ['nothing', null],
    ['no object', 5],
    ['a format that cannot be made a text', { ...golden, format: { toString: 1 } }],
    ['an origin that is no text', { ...golden, origin: { toString: 1 } }],
    ['another format', { ...golden, format: 'autovolt-ledger-export/2' }],
    ['a negative size', { ...golden, fromSize: -1 }],
    ['a size that is no integer', { ...golden, fromSize: 0.5 }],
    ['a size that is a text', { ...golden, fromSize: '0' }],
    ['a size that is too large', { ...golden, fromSize: 2 ** 53, frontier: [Buffer.alloc(32).toString('base64')] }],
    ['roots that are missing', { ...golden, fromSize: 3 }],
    ['roots too many', { ...golden, frontier: [Buffer.alloc(32).toString('base64')] }],
    ['a root that is too long', { ...golden, fromSize: 1, frontier: [Buffer.alloc(100).toString('base64')] }],
    ['a root that is no base64', { ...golden, fromSize: 1, frontier: ['*'] }],
    ['a root that is a number', { ...golden, fromSize: 1, frontier: [5] }],
    ['roots that are no list', { ...golden, frontier: {}, fromSize: 1 }],
  ])('is damaged with %s', async (_, header) => {
    const line1 = expect.objectContaining({
      damage: 'edited',
      where: 'export',
      found: expect.stringMatching(/^line 1: /),
    })
    expect(await withHeader(header)).toMatchObject({ valid: false, findings: [line1], checkpoint: null })
  })

  it('is damaged where there is none, and that is all that is said then', async () => {
    for (const file of [signedFile([]), signedFile(lines.slice(1))]) {
      const { findings, caveats } = await verifyText(file)
      expect(findings).toEqual([
        expect.objectContaining({ found: 'line 1: the file does not begin as an export does' }),
      ])
      expect(caveats).toContainEqual(expect.stringContaining('neither with the checkpoints nor with the digest'))
    }
  })
})

describe('a file that no line says to be an export', () => {
  it.each([
    ['nothing at all', ''],
    ['an empty line', '\n'],
    ['a text', 'all is well\n'],
    ['an entry alone', lines[1]!],
    ['a later format', '{"header":{"format":"autovolt-ledger-export/2"}}\n{"digest":"autovolt-ledger-export/2\\n"}\n'],
    ['a later format that begins alike', '{"header":{"format":"autovolt-ledger-export/10"}}\n'],
    ['a line without end', Buffer.alloc(25 * 1024 * 1024, 'x')],
  ])('cannot be told anything of: %s', async (_, file) => {
    await expect(verifyText(file)).rejects.toThrow(expect.objectContaining({ name: 'ExportError' }))
  })

  it('is no such file with a line that is too long: that one is damaged', async () => {
    const file = Buffer.concat([Buffer.from(lines[0]!), Buffer.alloc(25 * 1024 * 1024, 'x')])
    expect(await verifyText(file)).toEqual(found('truncated', 'export'))
  })
})

describe('an export that two keys have signed', () => {
  const other = testLogKeys(origin, Buffer.alloc(32, 7))
  const signerKeys = [firstKeys.signerKey, other.signerKey]
  const file = signedFile(lines, { signerKeys })
  const start = file.slice(0, file.lastIndexOf('{"digest"'))
  const note = (JSON.parse(file.slice(start.length)) as { digest: string }).digest
  const [text, signatures] = note.split('\n\n') as [string, string]
  const [first, second] = signatures.split(/(?<=\n)/) as [string, string]
  const withSignatures = (...changed: readonly string[]) =>
    `${start}${JSON.stringify({ digest: `${text}\n\n${changed.join('')}` })}\n`
  const altered = (line: string) => line.replace(/.(?=.{20}\n)/, (digit) => (digit === 'A' ? 'B' : 'A'))

  it('verifies with both, and with one of them says that the other was not checked', async () => {
    const keys = [firstKeys.verifierKey, other.verifierKey]
    const report = await verifyText(file, keys)
    expect(report).toMatchObject({ valid: true })
    expect(report.caveats.join()).not.toContain('not checked')
    const withOne = await verifyText(file)
    expect(withOne).toMatchObject({ valid: true })
    expect(withOne.caveats.join()).toContain('not checked')
  })

  it.each([
    ['without one of them', withSignatures(first), 'edited'],
    ['with one more', withSignatures(first, second, second), 'edited'],
    ['the other way round', withSignatures(second, first), 'edited'],
    ['with a name of another log', withSignatures(first, second.replace(origin, `${origin}.x`)), 'bad_signature'],
    ['with an altered one of a key that is known', withSignatures(altered(first), second), 'bad_signature'],
  ])('is damaged %s', async (_, changed, damage) => {
    expect(await verifyText(changed)).toEqual(found(damage, 'export'))
  })
})
