import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { generateLogKeys } from '@autovolt/data/ledger'
import { beforeAll, describe, expect, it } from 'vitest'
import { cleanUpLater } from '../../support/clean-up.js'
import { setUpDatabase } from '../../support/database.js'
import { places, slice } from '../../support/extent.js'
import { type Ended, runPython } from '../../support/python.js'
import { golden } from '../golden/golden-files.js'
import { firstKeys, origin } from '../golden/inputs.js'
import { type ExportedLedger, exportedLedger, exportedOrigin } from '../support/exported.js'
import { signedFile } from '../support/signed-file.js'
import { testLogKeys } from '../support/test-keys.js'

const database = setUpDatabase()
let folder: string
let exported: ExportedLedger
let files = 0

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autovolt-python-'))
  exported = await exportedLedger(database)
})
cleanUpLater(() => rm(folder, { recursive: true }))

async function written(content: string | Buffer): Promise<string> {
  const path = join(folder, `file-${++files}`)
  await writeFile(path, content)
  return path
}

/** Runs the verifier that was written from docs/ledger-format.md alone. */
async function verify(content: string | Buffer, ...options: readonly string[]): Promise<Ended> {
  const args = [await written(content), '--key', exported.keys.verifierKey, ...options]
  return runPython('ledger/python/verify_export.py', args)
}

const linesOf = (text: string) => text.split(/(?<=\n)/)

/** The file with one bit of the byte at a place flipped. */
function flipped(text: string, at: number, bit = 0): Buffer {
  const bytes = Buffer.from(text)
  bytes[at]! ^= 1 << bit
  return bytes
}

describe('a verifier in Python that knows only the page about the format', () => {
  it('finds an export sound', async () => {
    expect(await verify(exported.text)).toEqual({ exitCode: 0, output: 'sound: 12 entries, 3 chains\n' })
  })

  it('finds that it goes on from a checkpoint that was seen before', async () => {
    const since = await written(exported.firstCheckpoint)
    expect(await verify(exported.text, '--since', since)).toMatchObject({ exitCode: 0 })
  })

  it('finds a file sound that two keys have signed, with the one that also signed its checkpoints', async () => {
    const lines = linesOf(golden('v1', 'export.jsonl')).slice(0, -1)
    const other = testLogKeys(origin, Buffer.alloc(32, 7))
    const file = await written(signedFile(lines, { signerKeys: [other.signerKey, firstKeys.signerKey] }))
    const args = [file, '--key', firstKeys.verifierKey]
    expect(await runPython('ledger/python/verify_export.py', args)).toMatchObject({ exitCode: 0 })
  })

  it('finds the golden ledger sound, and its archive', async () => {
    for (const name of ['export', 'archive', 'after-archive'])
      expect(
        await runPython('ledger/python/verify_export.py', [
          fileURLToPath(new URL(`../golden/v1/${name}.jsonl`, import.meta.url)),
          ...['--key', firstKeys.verifierKey],
        ]),
      ).toMatchObject({ exitCode: 0 })
  })

  it('finds proofs sound', async () => {
    expect(await verify(JSON.stringify(exported.inclusion), '--proof')).toMatchObject({ exitCode: 0 })
    expect(await verify(JSON.stringify(exported.consistency), '--proof')).toMatchObject({ exitCode: 0 })
  })

  it('finds damaged proofs', async () => {
    const { inclusion, consistency } = exported
    const damaged = [
      { ...inclusion, leafIndex: inclusion.leafIndex - 1 },
      { ...inclusion, hashes: inclusion.hashes.slice(1) },
      { ...inclusion, entry: flipped(inclusion.entry, 100).toString() },
      { ...consistency, hashes: consistency.hashes.toReversed() },
      { ...consistency, from: consistency.to },
    ]
    for (const proof of damaged) expect(await verify(JSON.stringify(proof), '--proof')).toMatchObject({ exitCode: 1 })
  })

  it('finds a flipped bit in every line', async () => {
    const lines = linesOf(exported.text)
    const all = lines.map((line, number) => {
      const start = Buffer.byteLength(lines.slice(0, number).join(''))
      return start + Math.floor((Buffer.byteLength(line) * (1 + (number % 5))) / 6)
    })
    for (const at of slice(all, 4)) expect(await verify(flipped(exported.text, at))).toMatchObject({ exitCode: 1 })
  })

  it('finds that a line is missing, wherever it was', async () => {
    const lines = linesOf(exported.text)
    for (const at of places(lines.length, 4, 1))
      expect(await verify(lines.toSpliced(at, 1).join(''))).toMatchObject({ exitCode: 1 })
  })

  it('finds lines that were exchanged, doubled or added', async () => {
    const lines = linesOf(exported.text)
    expect(await verify(lines.toSpliced(1, 2, lines[2]!, lines[1]!).join(''))).toMatchObject({ exitCode: 1 })
    expect(await verify(lines.toSpliced(2, 0, lines[1]!).join(''))).toMatchObject({ exitCode: 1 })
    expect(await verify(`${exported.text}\n`)).toMatchObject({ exitCode: 1 })
  })

  it('finds that the end was cut off', async () => {
    const bytes = Buffer.from(exported.text)
    for (const length of [bytes.length - 500, bytes.length - 2, bytes.length - 1])
      expect(await verify(bytes.subarray(0, length))).toMatchObject({ exitCode: 1 })
  })

  it('finds a file that another key has signed', async () => {
    const other = generateLogKeys(exportedOrigin).verifierKey
    const args = [await written(exported.text), '--key', other]
    const { exitCode, output } = await runPython('ledger/python/verify_export.py', args)
    expect({ exitCode, output }).toEqual({ exitCode: 1, output: "damaged: Damaged('no known key has signed')\n" })
  })

  it('does not judge a file by a checkpoint that none of its keys has signed', async () => {
    const since = fileURLToPath(new URL('../golden/v1/first-checkpoint.txt', import.meta.url))
    expect(await verify(exported.text, '--since', since)).toMatchObject({ exitCode: 2 })
  })
})
