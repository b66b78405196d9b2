import fc from 'fast-check'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { LedgerEntry } from '../../../src/ledger/entry/entry.js'
import { setUpDatabase } from '../../support/database.js'
import { runs } from '../../support/extent.js'
import { openVolt } from '../../support/volt.js'
import { chainOf } from '../support/chains.js'
import { anEvent, aSwitchInLedger, at, type HostEvent, type OwnFields } from '../support/events.js'
import { histories } from '../support/histories.js'
import { keys, rewrittenFrom, Site } from './support/site.js'

const database = setUpDatabase()
let site: Site

beforeAll(async () => {
  site = await Site.build(database)
})

afterEach(() => site.restore())

const registers = ['cumulativeEnergy', 'cumulativeProduction', 'calculatedCost'] as const

/** Puts a chain that somebody has written anew in place of one after the newest checkpoint. */
async function rewrite(sequence: number, fields: Partial<LedgerEntry>): Promise<void> {
  const rewritten = rewrittenFrom(await site.chain(site.first), sequence, fields)
  await site.remove('entries', { switchId: site.first.switchId })
  for (const entry of rewritten) await site.insert('entries', entry)
}

describe('a register', () => {
  it.each(registers)('%s that is another, with hashes that fit, is found with its right value', async (register) => {
    const { [register]: right } = await site.plain(site.first, 6)
    await rewrite(6, { [register]: right + 0.5 })
    const report = await site.verify()
    expect(report.valid).toBe(false)
    expect(report.findings[0]).toMatchObject({
      damage: 'wrong_register',
      where: 'entry',
      switchId: site.first.switchId.toHexString(),
      sequence: 6,
      expected: `${register} ${right}`,
      found: String(right + 0.5),
    })
    const { deviceId, switchId } = site.first
    expect((await site.volt.ledger.verifyChainIntegrity(deviceId, switchId)).findings).toEqual(report.findings)
    const without = await site.verify({ registers: false })
    expect(without).toMatchObject({ valid: true, findings: [] })
    expect(without.caveats).toContain('The registers were not recomputed.')
  })

  it('is found in whatever physical order the entries are', async () => {
    await rewrite(6, { cumulativeEnergy: 1 })
    const { findings } = await site.verify()
    expect(findings).not.toEqual([])
    const documents = await site.documents('entries')
    for (const order of [documents.toReversed(), documents.toSorted(() => Math.random() - 0.5)]) {
      await site.fill('entries', order)
      expect((await site.verify()).findings).toEqual(findings)
    }
  })
})

describe('the registers of a ledger', () => {
  it.each([
    ['in the order of time', (events: HostEvent[]) => events],
    ['in any order', (events: HostEvent[]) => events.toSorted(() => Math.random() - 0.5)],
    ['the other way round', (events: HostEvent[]) => events.toReversed()],
  ])('are right as they were appended, %s', async (_, order) => {
    const volt = await openVolt(setUpDatabase(), { ledgerLog: { signerKeys: [keys.signerKey] } })
    await volt.setup()
    const all = fc.sample(histories('power', 'counter', 'rated'), runs(24)).filter(({ length }) => length > 0)
    for (const events of all) await volt.ledger.append(order(events))
    await volt.ledger.checkpoint()
    const report = await volt.ledger.verify()
    expect(report).toMatchObject({ valid: true, findings: [], chains: all.length })
    expect(report.caveats).not.toContainEqual(expect.stringContaining('registers'))
  })

  it('that are wrong are found where an entry comes long after it happened', async () => {
    const own: OwnFields = aSwitchInLedger()
    const other = setUpDatabase()
    const volt = await openVolt(other, { ledgerLog: { signerKeys: [keys.signerKey] } })
    await volt.setup()
    const reading = (minute: number, powerW: number) =>
      anEvent({ ...own, timestamp: at(60 * minute), reading: { powerW }, idempotencyKey: `${minute}` })
    await volt.ledger.append(Array.from({ length: 700 }, (_, minute) => reading(2 * minute, 100)))
    await volt.ledger.append([reading(3, 1000)])
    const chain = await chainOf(other.db, own.switchId)
    const late = chain.at(-1) as LedgerEntry
    expect(await volt.ledger.verify()).toMatchObject({ valid: true, findings: [] })
    const [, ...rewritten] = rewrittenFrom(chain, 701, { cumulativeEnergy: late.cumulativeEnergy + 60 }).slice(-2)
    const entries = other.db.collection('power_consumption_ledger', { ignoreUndefined: true })
    await entries.deleteOne({ _id: late._id })
    await entries.insertMany(rewritten, { bypassDocumentValidation: true })
    expect((await volt.ledger.verify()).findings).toMatchObject([{ damage: 'wrong_register', sequence: 701 }])
  })
})

describe('an idempotency key', () => {
  it('that is there twice in a chain is found once the unique index is gone, and the chain fits', async () => {
    await site.unprotect()
    const { idempotencyKey } = await site.plain(site.first, 2)
    await rewrite(7, { idempotencyKey })
    expect((await site.verify()).findings).toMatchObject([
      { damage: 'repeated', where: 'entry', sequence: 7, found: 'that of entry 2' },
    ])
    await site.collection('entries').createIndex({ switchId: 1, idempotencyKey: 1 })
    expect((await site.verify()).valid).toBe(false)
    await site.restore()
    await site.protect()
    expect((await site.verify()).valid).toBe(true)
  })
})
