import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { keepSchema, reasonsToKeep } from '../../src/backup/keep/keep-plan.js'
import { whileInUse } from '../../src/backup/keep/marks.js'
import { StorageAccess } from '../../src/backup/storage/storage-access.js'
import { openVolt } from '../support/volt.js'
import { MemoryStorage } from './support/memory-storage.js'
import { startBackupServer } from './support/server.js'

const server = await startBackupServer()
const dayMs = 86_400_000

describe('the plan', () => {
  const now = new Date('2026-11-30T12:00:00Z')
  const daily = Array.from({ length: 800 }, (_, age) => {
    const instantMs = now.getTime() - age * dayMs
    return { id: new Date(instantMs).toISOString(), instantMs }
  })
  const kept = (keep: object) => [...reasonsToKeep(daily, keepSchema.parse({ days: 0, ...keep }), now).keys()].sort()
  const day = (text: string) => `${text}T12:00:00.000Z`

  it('keeps 30 days unless it is told otherwise', () => {
    expect(reasonsToKeep(daily, keepSchema.parse({}), now).size).toBe(30)
    expect(kept({})).toEqual([])
    expect(kept({ days: 2 })).toEqual([day('2026-11-29'), day('2026-11-30')])
  })

  it('keeps the newest of each day, week, month and year', () => {
    expect(kept({ last: 1 })).toEqual([day('2026-11-30')])
    expect(kept({ weekly: 3 })).toEqual([day('2026-11-22'), day('2026-11-29'), day('2026-11-30')])
    expect(kept({ monthly: 2 })).toEqual([day('2026-10-31'), day('2026-11-30')])
    expect(kept({ yearly: 5 })).toEqual([day('2024-12-31'), day('2025-12-31'), day('2026-11-30')])
  })

  it('keeps at least so many, whatever the days of the backups', () => {
    const instants = fc.uniqueArray(fc.integer({ min: 0, max: now.getTime() }), { maxLength: 40 })
    const count = fc.integer({ min: 0, max: 50 })
    fc.assert(
      fc.property(instants, count, (moments, last) => {
        const candidates = moments.map((instantMs) => ({ id: String(instantMs), instantMs }))
        const reasons = reasonsToKeep(candidates, keepSchema.parse({ days: 0, last }), now)
        const newest = moments.toSorted((a, b) => b - a).slice(0, last)
        expect([...reasons.keys()].map(Number).sort()).toEqual(newest.sort())
      }),
    )
  })
})

describe('retention', () => {
  let volt: AutoVolt
  let name: string

  beforeAll(async () => {
    name = server.newName()
    await server.db(name).collection('things').insertOne({ a: 1 })
    volt = await openVolt({ uri: server.uri, dbName: name })
  })

  async function withBackups(count: number) {
    const storage = new MemoryStorage()
    const ids: string[] = []
    for (let at = 0; at < count; at += 1) ids.push((await volt.backup.create({ storage })).id)
    return { storage, ids }
  }
  const left = async (storage: MemoryStorage) => (await volt.backup.list(storage)).map(({ id }) => id)
  const nothing = { days: 0 }

  it('removes what nothing asks to keep, and on a dry run only says so', async () => {
    const { storage, ids } = await withBackups(3)
    const keep = { days: 0, last: 1 }
    const dry = await volt.backup.prune({ storage, keep, dryRun: true })
    expect(dry.decisions.map(({ action }) => action)).toEqual(['remove', 'remove', 'keep'])
    expect(dry.bytes).toBeGreaterThan(0)
    expect(await left(storage)).toEqual(ids)
    expect(await volt.backup.prune({ storage, keep })).toEqual({ ...dry, dryRun: false })
    expect(await left(storage)).toEqual(ids.slice(2))
    const files = [...storage.files.keys()]
    expect(files.filter((path) => !path.startsWith(ids[2] as string) && !path.startsWith('marks/verified/'))).toEqual(
      [],
    )
  })

  it('keeps the newest that verifies, whatever is asked, and all where none does', async () => {
    const { storage, ids } = await withBackups(3)
    const damage = (id: string) => storage.files.set(`${id}/${name}/things.bson.gz`, Buffer.from('x'))
    damage(ids[2] as string)
    const { decisions } = await volt.backup.prune({ storage, keep: nothing, dryRun: true })
    expect(decisions.map(({ action }) => action)).toEqual(['remove', 'keep', 'remove'])
    // The one that is kept by its age does not verify: the one before stays as well.
    const kept = await volt.backup.prune({ storage, keep: { days: 0, last: 1 } })
    expect(kept.decisions.map(({ reasons }) => reasons)).toEqual([
      ['nothing asks for it'],
      ['the newest that verifies'],
      ['one of the last 1'],
    ])
    expect(await left(storage)).toEqual(ids.slice(1))
    const { storage: damaged, ids: all } = await withBackups(2)
    for (const id of all) damaged.files.set(`${id}/${name}/things.bson.gz`, Buffer.from('x'))
    await volt.backup.prune({ storage: damaged, keep: nothing })
    expect(await left(damaged)).toEqual(all)
  })

  it('trusts no verification that failed since, nor one of more than a day ago', async () => {
    for (const isKnown of [true, false]) {
      const { storage, ids } = await withBackups(2)
      const [older = '', newer = ''] = ids
      for (const backup of ids) expect((await volt.backup.verify({ storage, backup })).valid).toBe(true)
      storage.files.set(`${newer}/${name}/things.bson.gz`, Buffer.from('x'))
      if (isKnown) expect((await volt.backup.verify({ storage, backup: newer })).valid).toBe(false)
      else storage.skewMs = 25 * 60 * 60_000
      const { decisions } = await volt.backup.prune({ storage, keep: { days: 0, last: 1 } })
      expect(decisions.map(({ reasons }) => reasons)).toEqual([['the newest that verifies'], ['one of the last 1']])
      expect(await left(storage)).toEqual([older, newer])
    }
  })

  it('keeps a whole backup, however many of chosen collections come after it', async () => {
    const { storage, ids } = await withBackups(1)
    const part = await volt.backup.create({ storage, collections: ['things'] })
    await volt.backup.verify({ storage, backup: part.id })
    const { decisions } = await volt.backup.prune({ storage, keep: { days: 0, last: 1 } })
    expect(decisions.map(({ id, reasons }) => [id, reasons])).toEqual([
      [ids[0], ['one of the last 1', 'the newest that verifies']],
      [part.id, ['one of the last 1']],
    ])
    const { id } = await volt.backup.verify({ storage })
    expect(id).toBe(ids[0])
    expect((await volt.backup.status()).lastBackup?.id).toBe(ids[0])
  })

  it('keeps what is in use, what is of another database, and what it did not write', async () => {
    const { storage, ids } = await withBackups(2)
    const [first = '', second = ''] = ids
    const access = new StorageAccess(storage)
    await access.write(`${first}/notes.txt`, (async function* () {})())
    await access.write('other/file', (async function* () {})())
    const otherName = server.newName()
    await server.db(otherName).collection('x').insertOne({})
    const other = await openVolt({ uri: server.uri, dbName: otherName })
    const { id } = await other.backup.create({ storage })
    await whileInUse(access, first, async () => {
      await volt.backup.prune({ storage, keep: nothing })
      expect(await left(storage)).toEqual([first, second, id])
    })
    await volt.backup.prune({ storage, keep: nothing })
    expect(await left(storage)).toEqual([first, second, id])
    expect([...storage.files.keys()].filter((path) => path.startsWith(first))).toEqual([`${first}/notes.txt`])
    expect(storage.files.has('other/file')).toBe(true)
  })

  it('removes an unfinished backup after a day, by the clock of the storage', async () => {
    const { storage, ids } = await withBackups(2)
    storage.files.delete(`${ids[0]}/manifest.json`)
    const young = await volt.backup.prune({ storage })
    expect(young.decisions.map(({ reasons }) => reasons[0])).toEqual([
      'it may still be under way',
      'of the last 30 days',
    ])
    storage.skewMs = 25 * 60 * 60_000
    const { decisions } = await volt.backup.prune({ storage })
    expect(decisions.map(({ action }) => action)).toEqual(['remove', 'keep'])
    expect(await left(storage)).toEqual(ids.slice(1))
  })

  it('refuses what is no rule', async () => {
    const { storage } = await withBackups(0)
    for (const keep of [{ days: -1 }, { last: 1.5 }, { weeks: 3 }])
      await expect(volt.backup.prune({ storage, keep })).rejects.toMatchObject({ code: 'VALIDATION' })
  })
})
