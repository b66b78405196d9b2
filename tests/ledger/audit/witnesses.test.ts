import { beforeAll, describe, expect, it } from 'vitest'
import type { Anchor } from '../../../src/ledger/log/anchor.js'
import { parseNote } from '../../../src/ledger/log/signed-note.js'
import type { WitnessPolicy } from '../../../src/ledger/log/witness-policy.js'
import { cosignature, witnessKey } from '../../support/cosignature.js'
import { setUpDatabase } from '../../support/database.js'
import { keys, Site } from './support/site.js'

const witnesses = ['a', 'b', 'c'].map((name, at) => ({ name: `${name}.example/w`, seed: Buffer.alloc(32, 60 + at) }))
const policy = (quorum: number, otherwise?: WitnessPolicy['otherwise']): WitnessPolicy => ({
  witnesses: witnesses.map(({ name, seed }) => witnessKey(name, seed).verifierKey),
  quorum,
  ...(otherwise === undefined ? {} : { otherwise }),
})

/** What signs every checkpoint that it is given. */
const signing = witnesses.slice(0, 2).map(
  ({ name, seed }): Anchor => ({
    name,
    async publish({ note }) {
      return [cosignature(name, seed, parseNote(note).text, 1_772_366_400).trimEnd()]
    },
  }),
)
let site: Site

beforeAll(async () => {
  site = await Site.build(setUpDatabase(), { ledgerLog: { signerKeys: [keys.signerKey], anchors: signing } })
})

describe('verify() with a policy for witnesses', () => {
  it('says nothing where enough of them have signed the newest checkpoint', async () => {
    for (const quorum of [1, 2]) {
      const report = await site.verify({ witnessPolicy: policy(quorum, 'damage') })
      expect(report).toMatchObject({ valid: true, findings: [] })
      expect(report.caveats.join()).not.toContain('witnesses')
    }
  })

  it('has a caveat, or a finding, where they have not', async () => {
    const report = await site.verify({ witnessPolicy: policy(3) })
    expect(report).toMatchObject({ valid: true, findings: [] })
    expect(report.caveats.join()).toContain('signatures of 3 of the witnesses a.example/w, b.example/w, c.example/w')
    expect(await site.verify({ witnessPolicy: policy(3, 'damage') })).toMatchObject({
      valid: false,
      findings: [{ damage: 'bad_signature', where: 'checkpoint', found: 'a.example/w, b.example/w' }],
    })
  })

  it('refuses a policy that cannot be met', async () => {
    await expect(site.verify({ witnessPolicy: policy(4) })).rejects.toMatchObject({ code: 'CONFIGURATION' })
  })
})
