import { BSON, type Document } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { keys } from '../audit/support/site.js'
import { hex } from '../support/chains.js'
import { anEvent, aSwitchInLedger, at, readings } from '../support/events.js'

const database = setUpDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database, { ledgerLog: { signerKeys: [keys.signerKey] } })
  await volt.setup()
})

const stored = () => database.db.collection('ledger_personal_data')

async function appended(event: Document) {
  const [result] = await volt.ledger.append([{ ...anEvent(), ...event }])
  return result!.entry
}

/** Whether the text is in some document of the database, in any field. */
async function isAnywhere(text: string): Promise<boolean> {
  for (const { name } of await database.db.listCollections().toArray()) {
    if (name.startsWith('system.')) continue
    for await (const document of database.db.collection(name).find())
      if (Buffer.from(BSON.serialize(document)).includes(text)) return true
  }
  return false
}

function selfReferring(): object {
  const value: Record<string, unknown> = {}
  value.self = value
  return value
}

function nested(levels: number): unknown {
  return levels === 0 ? 1 : { in: nested(levels - 1) }
}

describe('personal data', () => {
  it('is kept beside the entry, which has a commitment to it, and can be read back', async () => {
    const notes = 'moved by Asha Rao, “3B”'
    const personal = { teacher: { name: 'Asha Rao', badge: 7 }, tags: ['x', null, true] }
    const entry = await appended({ notes, personal })
    expect(entry).not.toHaveProperty('notes')
    expect(entry).not.toHaveProperty('personal')
    expect(hex(entry.personalCommitment)).toMatch(/^[0-9a-f]{64}$/)
    expect(await volt.ledger.personalDataOf(entry._id)).toEqual({ notes, personal })
    const read = await volt.ledger.get(entry._id)
    expect(JSON.stringify(read)).not.toContain('Asha')
    expect((await volt.ledger.verify({ switchIds: [entry.switchId] })).valid).toBe(true)
  })

  it('of more than fits is refused by the name of its field', async () => {
    const event = { ...anEvent(), personal: { photograph: 'x'.repeat(900_000) } }
    await expect(volt.ledger.append([event])).rejects.toMatchObject({
      code: 'VALIDATION',
      issues: [expect.objectContaining({ path: expect.stringMatching(/personal$/) })],
    })
    const largest = { photograph: 'x'.repeat(899_000) }
    const entry = await appended({ notes: '\u0001'.repeat(4000), personal: largest })
    expect(await volt.ledger.personalDataOf(entry._id)).toMatchObject({ personal: largest })
  })

  it.each([
    ['undefined', undefined],
    ['a function', () => 1],
    ['an instant', new Date(0)],
    ['an infinity', [Number.POSITIVE_INFINITY]],
    ['what refers to itself', selfReferring()],
    ['what is nested too deep', nested(101)],
  ])('is JSON: %s is not', async (_what, value) => {
    const event = { ...anEvent(), personal: { teacher: value } } as Parameters<typeof volt.ledger.append>[0][number]
    await expect(volt.ledger.append([event])).rejects.toMatchObject({
      code: 'VALIDATION',
      issues: [expect.objectContaining({ path: '0.personal.teacher', message: 'expected JSON' })],
    })
  })

  it('may be nested a hundred levels deep', async () => {
    const personal = { teacher: nested(100) }
    expect(await volt.ledger.personalDataOf((await appended({ personal }))._id)).toEqual({ personal })
  })

  it('is null where there is none, and cannot be asked of an entry that is not there', async () => {
    const entry = await appended({})
    expect(entry.personalCommitment).toBeUndefined()
    expect(await volt.ledger.personalDataOf(entry._id)).toBeNull()
    await expect(volt.ledger.erasePersonalData(entry._id)).rejects.toMatchObject({ code: 'CONFIGURATION' })
    const nobody = '69a400000000000000000999'
    await expect(volt.ledger.personalDataOf(nobody)).rejects.toMatchObject({ code: 'NOT_FOUND' })
    await expect(volt.ledger.erasePersonalData(nobody)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('of two entries is not to be told apart or guessed by its commitment', async () => {
    const [one, two] = [await appended({ notes: 'the same' }), await appended({ notes: 'the same' })]
    expect(hex(one.personalCommitment)).not.toBe(hex(two.personalCommitment))
  })

  it('of a redelivered event leaves nothing behind, whatever it says the second time', async () => {
    const event = anEvent()
    const first = await appended({ ...event, notes: 'the first telling' })
    const count = await stored().countDocuments()
    const again = await appended({ ...event, notes: 'the second telling' })
    expect(again._id).toEqual(first._id)
    expect(await stored().countDocuments()).toBe(count)
    expect(await isAnywhere('the second telling')).toBe(false)
    expect(await volt.ledger.personalDataOf(first._id)).toEqual({ notes: 'the first telling' })
  })

  it('of an event that comes twice in one call is kept once', async () => {
    const event = anEvent()
    const count = await stored().countDocuments()
    const [one, two] = await volt.ledger.append([
      { ...event, notes: 'told once' },
      { ...event, notes: 'told twice' },
    ])
    expect(two?.entry._id).toEqual(one?.entry._id)
    expect(await stored().countDocuments()).toBe(count + 1)
    expect(await isAnywhere('told twice')).toBe(false)
  })

  it('of events of which one is refused is not kept either', async () => {
    const own = aSwitchInLedger()
    const counter = (energyWh: number, day: number, notes: string) => ({
      ...anEvent({
        ...own,
        timestamp: at(86_400 * day),
        energySource: 'counter',
        reading: { energyWh, maximumPower: 1e9 },
      }),
      notes,
    })
    const call = volt.ledger.append([
      counter(0, 0, 'refused 1'),
      counter(2.2e9, 1, 'refused 2'),
      counter(4.4e9, 2, 'refused 3'),
    ])
    await expect(call).rejects.toMatchObject({ code: 'VALIDATION' })
    expect(await isAnywhere('refused')).toBe(false)
    expect(await volt.ledger.count({ switchId: own.switchId })).toBe(0)
  })

  it('of a transaction is read in it, and goes with it when it is rolled back', async () => {
    const own = aSwitchInLedger()
    const [plain] = readings(1, own)
    const attempt = volt.transaction(async () => {
      const [result] = await volt.ledger.append([{ ...plain!, notes: 'never happened' }])
      expect(await volt.ledger.personalDataOf(result!.entry._id)).toEqual({ notes: 'never happened' })
      throw new Error('rolled back')
    })
    await expect(attempt).rejects.toThrow('rolled back')
    expect(await isAnywhere('never happened')).toBe(false)
    await volt.transaction(() => volt.ledger.append([{ ...plain!, notes: 'happened' }]))
    expect(await isAnywhere('happened')).toBe(true)
  })

  it('can come with many events at once, to chains that others append to', async () => {
    const chains = [aSwitchInLedger(), aSwitchInLedger()]
    const calls = Array.from({ length: 6 }, (_, call) =>
      volt.ledger.append(
        chains.flatMap((own) =>
          readings(50, own, `call ${call}`).map((event) => ({ ...event, notes: `note ${call}` })),
        ),
      ),
    )
    await Promise.all(calls)
    for (const { switchId } of chains) {
      expect(await volt.ledger.count({ switchId })).toBe(300)
      expect(await stored().countDocuments({ switchId })).toBe(300)
    }
    const switchIds = chains.map(({ switchId }) => switchId)
    expect(await volt.ledger.verify({ switchIds })).toMatchObject({ valid: true, entries: 600 })
  })
})

describe('an erasure', () => {
  it('removes the text from the whole database, is an entry itself, and everything goes on verifying', async () => {
    const entry = await appended({ notes: 'to be forgotten', personal: { name: 'Forget Me' } })
    await volt.ledger.checkpoint()
    const before = await volt.ledger.proveInclusion(entry._id)
    const erasure = await volt.ledger.erasePersonalData(entry._id)
    expect(erasure).toMatchObject({ eventType: 'erasure', erases: entry.hash, sequence: 2, switchId: entry.switchId })
    for (const text of ['to be forgotten', 'Forget Me']) expect(await isAnywhere(text)).toBe(false)
    expect(await volt.ledger.personalDataOf(entry._id)).toBeNull()
    expect(await volt.ledger.get(entry._id)).toEqual(entry)
    expect(await volt.ledger.proveInclusion(entry._id)).toEqual(before)
    await volt.ledger.checkpoint()
    expect(await volt.ledger.verify()).toMatchObject({ valid: true, findings: [] })
  })

  it('once is as good as twice, or as several at once', async () => {
    const entry = await appended({ notes: 'gone once' })
    const others = await Promise.all(Array.from({ length: 4 }, () => volt.ledger.erasePersonalData(entry._id)))
    const again = await volt.ledger.erasePersonalData(entry._id)
    expect(new Set([...others, again].map(({ hash }) => hex(hash))).size).toBe(1)
    expect(await volt.ledger.count({ switchId: entry.switchId })).toBe(2)
    expect((await volt.ledger.verify({ switchIds: [entry.switchId] })).valid).toBe(true)
  })

  it('happens with the transaction that it is in, or not at all', async () => {
    const entry = await appended({ notes: 'kept after all' })
    const attempt = volt.transaction(async () => {
      await volt.ledger.erasePersonalData(entry._id)
      throw new Error('rolled back')
    })
    await expect(attempt).rejects.toThrow('rolled back')
    expect(await volt.ledger.personalDataOf(entry._id)).toEqual({ notes: 'kept after all' })
    expect(await volt.ledger.count({ switchId: entry.switchId })).toBe(1)
  })

  it('is not taken for done where a host’s own event has its key', async () => {
    const entry = await appended({ notes: 'still here' })
    await appended({ ...anEvent(), switchId: entry.switchId, idempotencyKey: `erasure:${hex(entry.hash)}` })
    await expect(volt.ledger.erasePersonalData(entry._id)).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await volt.ledger.personalDataOf(entry._id)).toEqual({ notes: 'still here' })
  })

  it('goes on while others append to the chain', async () => {
    const own = aSwitchInLedger()
    const results = await volt.ledger.append(readings(20, own).map((event) => ({ ...event, notes: 'crowded' })))
    await Promise.all([
      ...results.map(({ entry }) => volt.ledger.erasePersonalData(entry._id)),
      ...Array.from({ length: 5 }, (_, call) => volt.ledger.append(readings(20, own, `beside ${call}`))),
    ])
    expect(await isAnywhere('crowded')).toBe(false)
    expect(await volt.ledger.verify({ switchIds: [own.switchId] })).toMatchObject({ valid: true, entries: 140 })
  })
})
