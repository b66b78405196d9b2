import { randomBytes } from 'node:crypto'
import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import type { PseudonymousQuestion, PseudonymousRow } from '../../src/privacy/index.js'
import { catalogues } from '../entities/catalogues.js'
import { testDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()
const key = randomBytes(32)
let volt: AutoVolt

const people = Array.from({ length: 12 }, () => new ObjectId())
const commands = { collection: 'device_commands', person: 'requester.user', key }

async function rowsOf(asked: PseudonymousQuestion): Promise<PseudonymousRow[]> {
  const rows: PseudonymousRow[] = []
  for await (const row of volt.privacy.pseudonymous(asked)) rows.push(row)
  return rows
}

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
  // Ten people ask for commands to lamps in March and April, two for the heating.
  const asked = people.flatMap((user, at) =>
    ['2026-03-05T10:00:00Z', '2026-03-28T10:00:00Z', '2026-04-01T10:00:00Z'].map((day) => ({
      ...catalogues.deviceCommands.good(),
      _id: new ObjectId(),
      device: new ObjectId(),
      idempotencyKey: String(new ObjectId()),
      isUnderWay: false,
      requester: { user },
      command: at < 10 ? 'turn_on' : 'heat',
      attempts: 2,
      rankAt: new Date(day),
    })),
  )
  await database.db.collection('device_commands').insertMany(asked, { bypassDocumentValidation: true })
})

describe('figures without persons', () => {
  it('are by pseudonym and group, with dates cut, and without small groups', async () => {
    const rows = await rowsOf({ ...commands, by: ['command'], dates: { rankAt: 'month' }, sums: ['attempts'] })
    expect(rows).toHaveLength(20)
    expect(new Set(rows.map(({ person }) => person)).size).toBe(10)
    expect(rows.every(({ person }) => /^[0-9a-f]{32}$/.test(person))).toBe(true)
    const groups = new Set(rows.map(({ group, documents, sums }) => JSON.stringify({ group, documents, sums })))
    expect([...groups].toSorted()).toEqual([
      '{"group":{"command":"turn_on","rankAt":"2026-03-01T00:00:00.000Z"},"documents":2,"sums":{"attempts":4}}',
      '{"group":{"command":"turn_on","rankAt":"2026-04-01T00:00:00.000Z"},"documents":1,"sums":{"attempts":2}}',
    ])
    const text = JSON.stringify(rows)
    for (const id of people) expect(text).not.toContain(String(id))
    expect(await rowsOf({ ...commands, by: ['command'], k: 2 })).toHaveLength(12)
    expect(await rowsOf({ ...commands, k: 13 })).toEqual([])
  })

  it('have the same pseudonyms by one key, and others by another', async () => {
    const pseudonyms = async (by: Uint8Array) =>
      new Set((await rowsOf({ ...commands, key: by })).map(({ person }) => person))
    const first = await pseudonyms(key)
    expect(await pseudonyms(key)).toEqual(first)
    const others = await pseudonyms(randomBytes(32))
    expect([...others].filter((person) => first.has(person))).toEqual([])
  })

  it.each([
    ['of no entity', { collection: 'strangers' }],
    ['by a path that names nobody', { person: 'device' }],
    ['by something personal', { by: ['requester.name'] }],
    ['by text in which people may be named', { by: ['detail'] }],
    ['by a date as it is', { by: ['rankAt'] }],
    ['by something cut that is no date', { dates: { command: 'month' } }],
    ['by what there is not', { by: ['colour'] }],
    ['of lists of people', { collection: 'devices', person: 'assignedUsers' }],
  ] as const)('%s are refused', async (_, change) => {
    await expect(rowsOf({ ...commands, ...change } as PseudonymousQuestion)).rejects.toMatchObject({
      code: 'CONFIGURATION',
    })
  })

  it('are refused with a short key or an operator', async () => {
    await expect(rowsOf({ ...commands, key: randomBytes(16) })).rejects.toMatchObject({ code: 'VALIDATION' })
    const hostile = { ...commands, by: [{ $ne: 1 }] } as object as PseudonymousQuestion
    await expect(rowsOf(hostile)).rejects.toMatchObject({ code: 'VALIDATION' })
  })
})
