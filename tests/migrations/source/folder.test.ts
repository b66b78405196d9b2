import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, it } from 'vitest'
import { cleanUpLater } from '../../support/clean-up.js'
import { testDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { effects, statesOf } from '../support/migrating.js'

async function folderOf(files: Readonly<Record<string, string>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'autovolt-migrations-'))
  cleanUpLater(() => rm(folder, { recursive: true }))
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
  return folder
}

const named = (by: string) =>
  `export async function up({ db }) { await db.collection('effects').insertOne({ by: '${by}' }) }`
const declared = (by: string) =>
  `{ description: '${by}', up: async ({ db }) => db.collection('effects').insertOne({ by: '${by}' }) }`

describe('a folder of migrations', () => {
  it('has one in each file, by name or as its default export, in any kind of module', async () => {
    const folder = await folderOf({
      '01-named.mjs': `export const other = 1\n${named('01')}`,
      '02-default.mjs': `export default ${declared('02')}`,
      '03-common.cjs': `module.exports = ${declared('03')}`,
      '04-built.cjs': `Object.defineProperty(exports, '__esModule', { value: true })\nexports.up = ${declared('04')}.up\nexports.other = 1`,
      '05-built.cjs': `Object.defineProperty(exports, '__esModule', { value: true })\nexports.default = ${declared('05')}`,
      '06-typed.ts': `const by: string = '06'\nexport const up = async ({ db }: { db: any }) => db.collection('effects').insertOne({ by })`,
      '07-other-id.mjs': `export const id = 7\n${named('07')}`,
      '08-test.test.ts': 'throw new Error("a test")',
      '09-types.d.ts': 'export declare const up: never',
      'README.md': '# Migrations',
      '01-named.mjs.map': '{}',
    })
    await mkdir(join(folder, 'helpers'))
    const database = testDatabase()
    for (const given of [folder, pathToFileURL(`${folder}/`)]) {
      const volt = await openVolt(database, { migrations: { folder: given } })
      await volt.migrations.migrate()
      expect(await effects(database)).toEqual(['01', '02', '03', '04', '05', '06', '07'])
      expect(Object.keys(await statesOf(volt)).toSorted()).toEqual([
        '01-named',
        '02-default',
        '03-common',
        '04-built',
        '05-built',
        '06-typed',
        '7',
      ])
    }
  })

  it.each([
    ['a file that does not parse', { '1-a.mjs': 'export const up = (' }, /1-a\.mjs cannot be loaded/],
    ['a file without up', { '1-a.mjs': 'export const down = async () => undefined' }, /1-a\.mjs is no migration.*`up`/],
    [
      'a declaration with a mistake',
      { '1-a.mjs': 'export default { up: async () => 1, donw: 1 }' },
      /1-a\.mjs.*`donw`/,
    ],
    ['two files of one name', { '1-a.mjs': named('a'), '1-a.cjs': '' }, /1-a\.cjs and 1-a\.mjs have one name/],
    ['a name that is no id', { '1 a.mjs': named('a') }, /"1 a"/],
  ])('refuses %s', async (_, files, message) => {
    const folder = await folderOf(files)
    const volt = await openVolt(testDatabase(), { migrations: { folder } })
    const expected = { code: 'CONFIGURATION', message: expect.stringMatching(message) }
    await expect(volt.migrations.status()).rejects.toMatchObject(expected)
    await expect(volt.migrations.migrate()).rejects.toMatchObject(expected)
  })

  it('that is not there is named', async () => {
    const volt = await openVolt(testDatabase(), { migrations: { folder: '/nowhere/migrations' } })
    await expect(volt.migrations.status()).rejects.toThrow('The folder /nowhere/migrations cannot be read')
  })

  it('gets a new file, named after the time, which can be run as it is', async () => {
    const folder = join(await folderOf({}), 'new')
    const database = testDatabase()
    const clock = { now: () => new Date('2026-11-29T06:07:08Z') }
    const volt = await openVolt(database, { clock, migrations: { folder } })
    const path = await volt.migrations.create(folder, 'Add Priority to Cases!', 'js')
    expect(path).toBe(join(folder, '20261129060708-add-priority-to-cases.js'))
    await expect(volt.migrations.create(folder, 'add priority to cases', 'js')).rejects.toThrow('cannot be written')
    await expect(volt.migrations.create(folder, '../..', 'js')).rejects.toThrow('Name the migration by what it does')
    await writeFile(join(folder, 'package.json'), '{"type":"module"}')
    await database.db.collection('examples').insertOne({ a: 1 })
    await volt.migrations.migrate()
    expect(await database.db.collection('examples').countDocuments({ isNew: true })).toBe(1)
    await volt.migrations.rollback()
    expect(await database.db.collection('examples').countDocuments({ isNew: true })).toBe(0)
  })
})
