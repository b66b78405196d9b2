import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadOrigin } from '../migrations/adoption/origin-data.js'
import { SolchainFile, trade, traders } from '../migrations/adoption/solchain-file.js'
import { testDatabase } from '../support/database.js'
import { runAutovolt } from './support/run-command.js'

const origin = testDatabase()
const target = testDatabase()
const keys = JSON.stringify({ active: 'first', keys: { first: Buffer.alloc(32, 1).toString('base64') } })
const adopt = (...args: readonly string[]) =>
  runAutovolt(['adopt', '--from', origin.dbName, '--time-zone', 'Asia/Kolkata', ...args], {
    env: { MONGODB_URI: target.uri, MONGODB_DB_NAME: target.dbName, AUTOVOLT_KEYS: keys },
  })

describe('autovolt adopt', () => {
  it('says what it would do, and does it when it is told', async () => {
    await loadOrigin(origin.db, 'autovolt')
    const asked = await adopt()
    expect([asked.code, asked.errors]).toEqual([1, ''])
    expect(asked.out).toContain(`${origin.dbName} is a database of autovolt\n`)
    expect(asked.out).toMatch(/^devices: 8 documents, adopted, 3 left/m)
    expect(asked.out).toMatch(/^daily_aggregates: 6 of 7 days or months differ$/m)
    expect(asked.out).toMatch(/^ {2}2025-11-13 device 68da2060000002b100000002: 2259.000 Wh there, 2133.500 Wh here$/m)
    expect(asked.out).toMatch(/^It will take about \d+ s$/m)
    expect(asked.out).toContain('Nothing was written: say --yes to adopt')
    expect(await target.db.listCollections().toArray()).toEqual([])
    const done = await adopt('--yes', '--json')
    expect([done.code, done.errors]).toEqual([1, ''])
    expect(JSON.parse(done.out)).toMatchObject({ adopted: { users: 9, ledgerEntries: 163 } })
    expect(await target.db.collection('power_consumption_ledger').countDocuments()).toBe(163)
  })

  it('prints what becomes of what, and takes it edited', async () => {
    const printed = await adopt('--print-mapping')
    expect([printed.code, printed.errors]).toEqual([0, ''])
    const mapping = JSON.parse(printed.out)
    mapping.collections.activitylogs.from = null
    const file = join(await mkdtemp(join(tmpdir(), 'adopt-')), 'mapping.json')
    await writeFile(file, JSON.stringify(mapping))
    const { code, out } = await adopt('--mapping', file, '--json')
    expect(code).toBe(1)
    expect(JSON.parse(out).adopted.activities).toBe(0)
    await writeFile(file, '{')
    expect(await adopt('--mapping', file)).toMatchObject({
      code: 2,
      errors: expect.stringContaining('--print-mapping'),
    })
  })

  it('adopts a file of SQLite under the name that it has', async () => {
    const fresh = testDatabase()
    const file = new SolchainFile().add('users', traders).add('trading', [trade(1), trade(2, { total_price: 9 })])
    const run = (...args: readonly string[]) =>
      runAutovolt(['adopt', '--sqlite', file.path, '--time-zone', 'UTC', ...args], {
        env: { MONGODB_URI: fresh.uri, MONGODB_DB_NAME: fresh.dbName },
      })
    const asked = await run()
    expect([asked.code, asked.errors]).toEqual([1, ''])
    expect(asked.out).toContain('solchain is a database of solchain\n')
    expect(asked.out).toMatch(
      /^trading: 2 documents, adopted, 1 left, 0 noted\n {2}1 x the total is not amount by price \(2\)$/m,
    )
    expect(await run('--yes', '--area', 'Old')).toMatchObject({ code: 1, errors: '' })
    expect(await fresh.db.collection('market_areas').find().toArray()).toMatchObject([{ name: 'Old' }])
    expect(await run('--follow')).toMatchObject({ code: 2, errors: expect.stringContaining('adopt it again') })
    expect(await run('--remove', '--yes')).toMatchObject({ code: 0 })
    expect(await fresh.db.collection('market_orders').countDocuments()).toBe(0)
  })

  it('adopts a database into itself beside the old application, and takes that back', async () => {
    const shared = testDatabase()
    await loadOrigin(shared.db, 'autovolt')
    const run = (...args: readonly string[]) =>
      runAutovolt(['adopt', '--from', shared.dbName, '--time-zone', 'Asia/Kolkata', ...args], {
        env: { MONGODB_URI: shared.uri, MONGODB_DB_NAME: shared.dbName, AUTOVOLT_KEYS: keys },
      })
    expect(await run('--yes')).toMatchObject({ code: 2, errors: expect.stringContaining('--beside') })
    expect(await run('--beside', '--yes')).toMatchObject({ code: 1, errors: '' })
    expect(await shared.db.collection('autovolt_devices').countDocuments()).toBe(5)
    expect(await run('--beside', '--remove')).toMatchObject({ code: 2, errors: expect.stringContaining('say --yes') })
    expect(await run('--beside', '--remove', '--yes')).toMatchObject({ code: 0 })
    expect(await shared.db.collection('autovolt_devices').countDocuments()).toBe(0)
    expect(await shared.db.collection('devices').countDocuments()).toBe(8)
  })

  it('keeps both in step until it is stopped', async () => {
    const fresh = testDatabase()
    const { code, out, errors } = await runAutovolt(
      ['adopt', '--from', origin.dbName, '--time-zone', 'Asia/Kolkata', '--follow'],
      {
        env: { MONGODB_URI: fresh.uri, MONGODB_DB_NAME: fresh.dbName, AUTOVOLT_KEYS: keys },
        stopAfter: 'in step: 0 changes taken, of 5 devices',
      },
    )
    expect([code, errors]).toEqual([1, expect.stringContaining('SIGINT: stopping')])
    expect(out).toContain('has 163 ledgerEntries')
  })

  it('ends with 2 where it cannot be done', async () => {
    const wrong = [
      [['--from', target.dbName], 'this database itself'],
      [['--from', 'there_is_none'], 'no database of a system that is known'],
      [['--time-zone', 'Asia/Nowhere'], 'IANA time zone'],
      [['--time-zone', ''], '--time-zone Asia/Kolkata'],
      [['--from', ''], '--from DB'],
      [['--fast'], 'fast'],
    ] as const
    await Promise.all(
      wrong.map(async ([args, why]) => {
        const { code, out, errors } = await adopt(...args)
        expect([args, code, out]).toEqual([args, 2, ''])
        expect(errors).toContain(why)
      }),
    )
  })

  it('says where keys come from, where devices have secrets and there are none', async () => {
    const fresh = testDatabase()
    const { code, errors } = await runAutovolt(
      ['adopt', '--from', origin.dbName, '--time-zone', 'Asia/Kolkata', '--yes'],
      { env: { MONGODB_URI: fresh.uri, MONGODB_DB_NAME: fresh.dbName, AUTOVOLT_KEYS: '' } },
    )
    expect([code, errors]).toEqual([2, expect.stringMatching(/Next: name the key ring with --keys FILE .*KEY_RING/)])
  })
})
