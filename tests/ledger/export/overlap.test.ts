import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { verifyExport } from '../../../src/ledger/export/export-verifier.js'
import { generateLogKeys } from '../../../src/ledger/log/signed-note.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { aSwitchInLedger, readings } from '../support/events.js'

const keys = generateLogKeys('school.example/energy')
/** Exports of one ledger as it grows, by their sizes; and of another one that was signed with the same key. */
const files: Record<string, string> = {}

beforeAll(async () => {
  for (const which of ['own', 'other']) {
    const volt = await openVolt(setUpDatabase(), { ledgerLog: { signerKeys: [keys.signerKey] } })
    await volt.setup()
    const own = aSwitchInLedger()
    for (const size of [20, 40, 60]) {
      await volt.ledger.append(readings(20, own, `${size}`))
      await volt.ledger.checkpoint()
      files[`${which} ${size}`] = await exported(volt)
    }
  }
})

async function exported({ ledger }: AutoVolt): Promise<string> {
  let text = ''
  for await (const piece of ledger.export()) text += piece
  return text
}

const verify = (...names: string[]) =>
  verifyExport(
    names.map(
      (name) =>
        async function* () {
          yield Buffer.from(files[name] as string)
        },
    ),
    { verifierKeys: [keys.verifierKey] },
  )

describe('sound files that overlap', () => {
  it.each([
    [['own 20', 'own 40'], 40],
    [['own 40', 'own 20'], 40],
    [['own 20', 'own 20'], 20],
    [['own 20', 'own 60'], 60],
    [['own 60', 'own 40'], 60],
  ])('(%s) are named as that, and nothing else', async (names, entries) => {
    const report = await verify(...names)
    expect(report.findings).toMatchObject([{ damage: 'overlapping', where: 'export' }])
    expect(report).toMatchObject({ valid: false, entries, checkpoint: { size: entries } })
  })

  it('of two histories are named as rewritten', async () => {
    for (const names of [
      ['own 20', 'other 40'],
      ['own 40', 'other 40'],
      ['own 60', 'other 20'],
    ]) {
      const { valid, findings } = await verify(...names)
      expect(valid).toBe(false)
      expect(findings[0]).toMatchObject({ damage: 'rewritten' })
    }
  })
})
