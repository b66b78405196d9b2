import { verifyConsistency, verifyInclusion } from '@autovolt/data/ledger'
import { describe, expect, it } from 'vitest'
import { longestLine } from '../../../src/ledger/export/line-reader.js'
import { formatNote, parseNote, SignerKey } from '../../../src/ledger/log/signed-note.js'
import { golden as goldenFile } from '../golden/golden-files.js'
import { firstKeys } from '../golden/inputs.js'
import { signedFile, verifyText } from '../support/signed-file.js'

const lines = goldenFile('v1', 'export.jsonl')
  .split(/(?<=\n)/)
  .slice(0, -1)
const withExtra = (line: string) => signedFile(lines.toSpliced(2, 0, line))
const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
const editedLine = (text: string | RegExp = /^line 3/) =>
  expect.objectContaining({ damage: 'edited', where: 'export', found: expect.stringMatching(text) })

/** The memory of the process before, and at its highest meanwhile, in MB. */
async function highestMb(work: () => Promise<unknown>): Promise<number> {
  const before = process.memoryUsage().rss
  let highest = before
  const watch = setInterval(() => {
    highest = Math.max(highest, process.memoryUsage().rss)
  }, 5)
  await work()
  clearInterval(watch)
  return (Math.max(highest, process.memoryUsage().rss) - before) / 1e6
}

describe('a line of an export that is made to cost much', () => {
  it.each(['entry', 'personal', 'checkpoint', 'header', 'digest'])(
    'is refused unparsed where %s is nested deeply',
    async (name) => {
      const report = await verifyText(withExtra(`{"${name}":${nested(1_500_000)}}\n`))
      expect(report.findings).toContainEqual(editedLine())
    },
  )

  it('is refused where it is too long, whatever is in it, and only its beginning is kept', async () => {
    const chunk = Buffer.alloc(1024 * 1024, '[')
    const [first = ''] = lines
    const used = await highestMb(async () => {
      const { verifyExport } = await import('@autovolt/data/ledger')
      const report = await verifyExport(
        async function* () {
          yield Buffer.from(first)
          for (let n = 0; n < 200; n += 1) yield chunk
          yield Buffer.from(`\n${lines.slice(1).join('')}`)
        },
        { verifierKeys: [firstKeys.verifierKey] },
      )
      expect(report.findings).toContainEqual(editedLine(/^line 2$/))
      expect(report.entries).toBe(11)
    })
    expect(used).toBeLessThan(150)
    expect(longestLine).toBe(4_194_304)
  })

  it('is refused where a note has more than 100 signatures, before any is checked', async () => {
    const text = parseNote(JSON.parse(lines.at(-1) ?? '').checkpoint).text
    const signature = SignerKey.parse(firstKeys.signerKey).sign(text)
    const of = (count: number) => formatNote({ text, signatures: Array.from({ length: count }, () => signature) })
    expect(parseNote(of(100)).signatures).toHaveLength(100)
    for (const count of [101, 400_000]) expect(() => parseNote(of(count))).toThrow(/at most/)
    expect(await verifyText(signedFile(lines.with(-1, `${JSON.stringify({ checkpoint: of(101) })}\n`)))).toMatchObject({
      valid: false,
    })
  })
})

describe('a proof that is made to cost much', () => {
  it('is refused unparsed', () => {
    for (const text of [
      nested(2_000_000),
      `{"kind":"inclusion","entry":${nested(1_000_000)}}`,
      '{"a":'.repeat(500_000),
      '"'.repeat(3_000_000),
    ]) {
      expect(verifyInclusion(text, [firstKeys.verifierKey])).toMatchObject({ valid: false })
      expect(verifyConsistency(text, [firstKeys.verifierKey])).toMatchObject({ valid: false })
    }
  })

  it('is refused where it is longer than any proof can be', () => {
    const text = `{"kind":"consistency",${' '.repeat(4_100_000)}"from":"","to":"","hashes":[]}`
    expect(verifyConsistency(text, [firstKeys.verifierKey])).toMatchObject({ valid: false })
  })
})

describe('an export that another program has written anew', () => {
  it('is said to have a byte-order mark, or CRLF', async () => {
    const text = goldenFile('v1', 'export.jsonl')
    expect((await verifyText(`\ufeff${text}`)).findings).toContainEqual(editedLine(/^line 1: .*byte-order mark/))
    expect((await verifyText(text.replaceAll('\n', '\r\n'))).findings).toContainEqual(editedLine(/^line 2: .*CRLF/))
  })
})
