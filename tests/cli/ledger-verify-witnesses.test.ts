import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { parseNote } from '../../src/ledger/log/signed-note.js'
import { golden } from '../ledger/golden/golden-files.js'
import { firstKeys } from '../ledger/golden/inputs.js'
import { signedFile } from '../ledger/support/signed-file.js'
import { cleanUpLater } from '../support/clean-up.js'
import { cosignature, witnessKey } from '../support/cosignature.js'
import { runAutovolt } from './support/run-command.js'

const witnesses = ['a', 'b', 'c'].map((name, at) => ({ name: `${name}.example/w`, seed: Buffer.alloc(32, 80 + at) }))
const [first = '', second = '', third = ''] = witnesses.map(({ name, seed }) => witnessKey(name, seed).verifierKey)
let folder: string
/** Its last checkpoint is signed by the first two witnesses. */
let file: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autovolt-witnesses-'))
  const lines = golden('v1', 'export.jsonl')
    .split(/(?<=\n)/)
    .slice(0, -1)
  const { checkpoint } = JSON.parse(lines.at(-1) ?? '') as { checkpoint: string }
  const { text } = parseNote(checkpoint)
  const cosignatures = witnesses.slice(0, 2).map(({ name, seed }) => cosignature(name, seed, text, 1_772_366_400))
  file = join(folder, 'ledger.jsonl')
  const last = `${JSON.stringify({ checkpoint: checkpoint + cosignatures.join('') })}\n`
  await writeFile(file, signedFile(lines.with(-1, last)))
})
cleanUpLater(() => rm(folder, { recursive: true }))

const verify = (...args: readonly string[]) =>
  runAutovolt(['ledger', 'verify', file, '--key', firstKeys.verifierKey, ...args])
const named = (...keys: readonly string[]) => keys.flatMap((key) => ['--witness', key])

describe('autovolt ledger verify --witness', () => {
  it('ends with 0 where all that are named have signed the last checkpoint, also with their keys in files', async () => {
    const key = join(folder, 'witness')
    await writeFile(key, `${second}\r\n`)
    const { code, out, errors } = await verify(...named(first, key))
    expect([code, errors]).toEqual([0, ''])
    expect(JSON.parse(out)).toMatchObject({ valid: true, findings: [] })
  })

  it('ends with 1 where one of them has not, names those that have, and explains it', async () => {
    const { code, out, errors } = await verify(...named(first, second, third))
    expect(code).toBe(1)
    expect(JSON.parse(out)).toMatchObject({
      valid: false,
      findings: [{ damage: 'bad_signature', where: 'checkpoint', found: 'a.example/w, b.example/w' }],
    })
    expect(errors).toMatch(/^bad_signature \(checkpoint\): /)
  })

  it('is content with as many as --quorum says, and with no fewer', async () => {
    expect((await verify(...named(first, second, third), '--quorum', '2')).code).toBe(0)
    expect((await verify(...named(first, third), '--quorum', '1')).code).toBe(0)
    expect((await verify(...named(third), '--quorum', '1')).code).toBe(1)
  })

  it('ends with 2 for a quorum that cannot be met, and for what is no witness', async () => {
    for (const [args, why] of [
      [[...named(first, second), '--quorum', '3'], 'quorum of 2 witnesses'],
      [[...named(first, second), '--quorum', '0'], 'quorum of 2 witnesses'],
      [[...named(first, second), '--quorum', 'most'], 'quorum of 2 witnesses'],
      [['--quorum', '1'], 'quorum of 0 witnesses'],
      [named(first, first), 'a name each'],
      [named(firstKeys.verifierKey), 'verifier key of a witness'],
    ] as const) {
      const { code, out, errors } = await verify(...args)
      expect([code, out]).toEqual([2, ''])
      expect(errors).toContain(why)
    }
  })
})
