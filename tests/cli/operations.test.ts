import { beforeAll, describe, expect, it } from 'vitest'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'
import { runAutovolt } from './support/run-command.js'

const database = setUpDatabase()
const autovolt = (...args: readonly string[]) =>
  runAutovolt(args, { env: { MONGODB_URI: database.uri, MONGODB_DB_NAME: database.dbName } })

beforeAll(async () => {
  await (await openVolt(database)).setup()
})

describe('autovolt doctor', () => {
  it('says what is wrong in some lines, and ends with 1 where something is', async () => {
    const { code, out, errors } = await autovolt('doctor')
    expect([code, errors]).toEqual([1, ''])
    expect(out).toMatch(/^warning {2}access control: This handle is not logged in\. /m)
    expect(out).toMatch(/^\d+ problems, \d+ warnings, \d+ checks are well$/m)
    expect(out).not.toMatch(/^ok/m)
    expect(out.trimEnd().split('\n').length).toBeLessThanOrEqual(20)
  })

  it('shows all of it when it is asked to, as JSON too', async () => {
    const [all, json] = await Promise.all([autovolt('doctor', '--all'), autovolt('doctor', '--json')])
    expect(all.out).toMatch(/^ok {2}setup: \d+ collections are as declared\.$/m)
    expect(JSON.parse(json.out)).toMatchObject({ isHealthy: false, findings: expect.any(Array) as unknown[] })
  })

  it('ends with 2 where it could not look', async () => {
    const env = { MONGODB_URI: 'mongodb://127.0.0.1:1/?serverSelectionTimeoutMS=200', MONGODB_DB_NAME: 'none' }
    expect(await runAutovolt(['doctor'], { env })).toMatchObject({ code: 2, out: '' })
  })
})

describe('autovolt stats, slow and indexes', () => {
  it('show sizes, members, queries and advice', async () => {
    const [stats, now, recorded, indexes] = await Promise.all([
      autovolt('stats'),
      autovolt('slow', '--now', '--json'),
      autovolt('slow', '--for', '0'),
      autovolt('indexes', '--json'),
    ])
    expect(stats).toMatchObject({ code: 0, errors: '' })
    expect(stats.out).toMatch(/^devices +0 /m)
    expect(stats.out).toContain('PRIMARY')
    expect(JSON.parse(now.out)).toEqual([])
    expect(recorded).toMatchObject({ code: 0, out: 'Nothing was slow\n' })
    expect(JSON.parse(indexes.out)).toMatchObject({ advice: [], unreached: [] })
  })

  it('hide, show and drop an index that is named', async () => {
    await database.db.collection('devices').createIndex({ model: 1 }, { name: 'model_1' })
    expect(await autovolt('indexes', '--drop', 'devices', 'model_1')).toMatchObject({ code: 2 })
    expect((await autovolt('indexes', '--hide', 'devices', 'model_1')).out).toContain('--unhide devices model_1')
    const dropped = await autovolt('indexes', '--drop', 'devices', 'model_1')
    expect(dropped.out).toContain('db.devices.createIndex({"model":1}, {"name":"model_1"})')
  })

  it('refuse what cannot be meant', async () => {
    const wrong = [
      ['slow', '--over', 'soon'],
      ['slow', '--kill', '999999999'],
      ['indexes', '--hide', 'devices'],
      ['indexes', '--hide', '--drop', 'devices', 'a_1'],
      ['indexes', '--days', 'many'],
    ]
    const ends = await Promise.all(wrong.map((args) => autovolt(...args)))
    expect(ends.map(({ code, errors }) => [code, errors === ''])).toEqual(wrong.map(() => [2, false]))
  })
})
