import { type VerificationReport, verifyExport, type WitnessPolicy } from '@autovolt/data/ledger'
import { describe, expect, it } from 'vitest'
import { parseNote } from '../../../src/ledger/log/signed-note.js'
import { cosignature, witnessKey } from '../../support/cosignature.js'
import { golden as goldenFile } from '../golden/golden-files.js'
import { firstKeys } from '../golden/inputs.js'
import { signedFile } from '../support/signed-file.js'

const lines = goldenFile('v1', 'export.jsonl')
  .split(/(?<=\n)/)
  .slice(0, -1)
const { checkpoint } = JSON.parse(lines.at(-1) ?? '') as { checkpoint: string }
const { text } = parseNote(checkpoint)
const witnesses = ['a', 'b', 'c'].map((name, at) => ({ name: `${name}.example/w`, seed: Buffer.alloc(32, 40 + at) }))
const witnessKeys = witnesses.map(({ name, seed }) => witnessKey(name, seed).verifierKey)
const lineOf = (at: number) => {
  const { name, seed } = witnesses[at] ?? { name: '', seed: Buffer.alloc(32) }
  return cosignature(name, seed, text, 1_772_366_400 + at)
}

/** The file whose last checkpoint so many of the witnesses have signed. */
function fileBy(...signers: readonly number[]): string {
  const note = `${checkpoint}${signers.map(lineOf).join('')}`
  return signedFile(lines.with(-1, `${JSON.stringify({ checkpoint: note })}\n`))
}

function verify(file: string, witnessPolicy: WitnessPolicy): Promise<VerificationReport> {
  return verifyExport(
    async function* () {
      yield Buffer.from(file)
    },
    { verifierKeys: [firstKeys.verifierKey], witnessPolicy },
  )
}

const twoOfThree: WitnessPolicy = { witnesses: witnessKeys, quorum: 2, otherwise: 'damage' }

describe('a policy of two of three witnesses', () => {
  it('is met by two of them, and by all', async () => {
    for (const signers of [
      [0, 1],
      [2, 1],
      [0, 1, 2],
    ]) {
      const report = await verify(fileBy(...signers), twoOfThree)
      expect(report).toMatchObject({ valid: true, findings: [] })
      expect(report.caveats.join()).not.toContain('witnesses')
    }
  })

  it('is not met by one of them, also if it has signed twice', async () => {
    for (const signers of [[], [1], [1, 1]]) {
      expect(await verify(fileBy(...signers), twoOfThree)).toMatchObject({
        valid: false,
        findings: [
          { damage: 'bad_signature', where: 'checkpoint', expected: expect.stringContaining('2 of the witnesses') },
        ],
      })
    }
  })

  it('is only a caveat where the host says no more', async () => {
    const report = await verify(fileBy(1), { witnesses: witnessKeys, quorum: 2 })
    expect(report).toMatchObject({ valid: true, findings: [] })
    expect(report.caveats).toContainEqual(
      'The last checkpoint has not the signatures of 2 of the witnesses a.example/w, b.example/w, c.example/w, but of b.example/w.',
    )
  })

  it('is not met by what a witness has signed of another checkpoint, or with another key of its name', async () => {
    const [first] = witnesses
    const other = cosignature(first?.name ?? '', first?.seed ?? Buffer.alloc(32), `${text}more\n`, 1)
    const forged = cosignature(first?.name ?? '', Buffer.alloc(32, 99), text, 1)
    for (const line of [other, forged]) {
      const note = `${checkpoint}${lineOf(1)}${line}`
      const file = signedFile(lines.with(-1, `${JSON.stringify({ checkpoint: note })}\n`))
      expect(await verify(file, twoOfThree)).toMatchObject({ valid: false, findings: [{ found: 'b.example/w' }] })
    }
  })

  it('is refused itself where it cannot be met, or one witness would count twice', async () => {
    const [first = ''] = witnessKeys
    for (const policy of [
      { witnesses: witnessKeys, quorum: 4 },
      { witnesses: witnessKeys, quorum: 0 },
      { witnesses: witnessKeys, quorum: 1.5 },
      { witnesses: [first, first], quorum: 1 },
      { witnesses: [firstKeys.verifierKey], quorum: 1 },
      { witnesses: [], quorum: 1 },
    ])
      await expect(verify(fileBy(0, 1), policy)).rejects.toThrow(expect.objectContaining({ name: 'NoteError' }))
  })
})
