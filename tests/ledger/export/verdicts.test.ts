import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { beforeAll, describe, expect, it } from 'vitest'
import { ledgerVerifyCommand } from '../../../src/cli/ledger-verify.js'
import type { ExportHeader } from '../../../src/ledger/export/export-format.js'
import { cleanUpLater } from '../../support/clean-up.js'
import { runPython } from '../../support/python.js'
import { golden as goldenFile } from '../golden/golden-files.js'
import { firstKeys } from '../golden/inputs.js'
import { signedFile } from '../support/signed-file.js'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autovolt-verdicts-'))
})
cleanUpLater(() => rm(folder, { recursive: true }))

/** The exit codes of `autovolt ledger verify`, and of the verifier that was written from docs/ledger-format.md alone. */
async function verdicts(content: string | Buffer): Promise<number[]> {
  const file = join(folder, 'file')
  await writeFile(file, content)
  const args = [file, '--key', firstKeys.verifierKey]
  const context = { out: new PassThrough(), errors: new PassThrough(), env: {}, signal: new AbortController().signal }
  const ours = await ledgerVerifyCommand.run(args, context)
  return [ours, (await runPython('ledger/python/verify_export.py', args)).exitCode]
}

const text = goldenFile('v1', 'export.jsonl')
const lines = text.split(/(?<=\n)/)
const [first, ...others] = lines as [string, ...string[]]
const after = others.join('')
const changedAt = (at: number) => `${text.slice(0, at)}~${text.slice(at + 1)}`
const middle = Math.floor(first.length / 2)
const laterFormat = (line: string) => line.replace('export/1', 'export/2')

/** An export that begins and ends at the checkpoint that the archive before it ended at. */
function withoutEntries(): string {
  const [start = '', checkpoint = ''] = goldenFile('v1', 'after-archive.jsonl').split(/(?<=\n)/)
  const { header: later } = JSON.parse(start) as { header: ExportHeader }
  const header = { ...later, size: later.fromSize }
  return signedFile([`${JSON.stringify({ header })}\n`, checkpoint], { header })
}

describe('both verifiers agree on a file', () => {
  it.each([
    ['as it was exported', text],
    ['of a later part', goldenFile('v1', 'after-archive.jsonl')],
  ])('that is sound: %s', async (_, content) => {
    expect(await verdicts(content)).toEqual([0, 0])
  })

  it.each([
    ['the first byte', changedAt(0)],
    ['a letter of `header`', changedAt(3)],
    ['a letter of the format', changedAt(first.indexOf('autovolt') + 5)],
    ['the number of the format', laterFormat(first) + after],
    ['a letter of the origin', changedAt(first.indexOf('"origin":"') + 12)],
    ['a digit of the size', changedAt(first.indexOf('"size":') + 7)],
    ['the line feed of the first line', changedAt(first.length - 1)],
  ])('with one byte of the first line changed: %s', async (_, content) => {
    expect(await verdicts(content)).toEqual([1, 1])
  })

  it.each([
    ['a byte less in the first line', text.slice(0, middle) + text.slice(middle + 1)],
    ['a line feed in the first line', `${text.slice(0, middle)}\n${text.slice(middle)}`],
    ['no first line', after],
    ['the first line twice', first + text],
    ['the first line behind the second', lines.toSpliced(0, 2, lines[1]!, first).join('')],
    ['the first line alone', first],
    ['a first line cut off', first.slice(0, middle)],
    ['no digest', lines.slice(0, -1).join('')],
    ['a digest cut off', text.slice(0, -100)],
    ['a digest of another format', lines.with(-1, laterFormat(lines.at(-1)!)).join('')],
    ['something behind the digest', `${text}\n`],
    ['a digest alone', signedFile([])],
  ])('that is an export and damaged: %s', async (_, content) => {
    expect(await verdicts(content)).toEqual([1, 1])
  })

  it.each([
    ['nothing in it', ''],
    ['one byte', text.slice(0, 1)],
    ['an entry alone', lines[1]!],
    ['a text', 'all is well\n'],
    ['another JSON', '{"header":5}\n{"digest":"none"}\n'],
    ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00, 0x0a, 0x80])],
    ['a later format', laterFormat(first) + lines.slice(1, -1).join('') + laterFormat(lines.at(-1)!)],
    ['no entries', withoutEntries()],
  ])('that nothing can be said of: %s', async (_, content) => {
    expect(await verdicts(content)).toEqual([2, 2])
  })
})
