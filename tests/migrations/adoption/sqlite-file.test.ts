import { mkdtempSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import {
  openSqliteFile,
  type SqliteLibraryName,
  sqliteLibraries,
} from '../../../src/migrations/adoption/sqlite/sqlite-file.js'
import { cleanUpLater } from '../../support/clean-up.js'
import { SolchainFile } from './solchain-file.js'

/** What reads SQLite on this version of Node: of the three at least the one that is a dependency of development. */
async function librariesHere(path: string): Promise<SqliteLibraryName[]> {
  const found: SqliteLibraryName[] = []
  for (const name of sqliteLibraries) {
    const opened = await openSqliteFile(path, [name]).catch(() => undefined)
    opened?.close()
    if (opened !== undefined) found.push(name)
  }
  return found
}

it('gives the same values with every library that is here, numbers exact', async () => {
  const file = new SolchainFile()
  file.run('create table things (id integer primary key, whole integer, real float, words text, bytes blob, none text)')
  const whole = 9_007_199_254_740_993n
  file.run('insert into things values (1, ?, 0.1, ?, ?, null)', whole, 'क 🌞', new Uint8Array([0, 255]))
  file.run('insert into things values (2, 5, 9e999, ?, null, null)', "it's")
  const libraries = await librariesHere(file.path)
  expect(libraries).toContain('node-sqlite3-wasm')
  if (Number(process.versions.node.split('.')[0]) >= 24) expect(libraries).toContain('node:sqlite')
  for (const name of libraries) {
    const opened = await openSqliteFile(file.path, [name])
    const [first, second] = opened.all('select * from things where id > ? order by id', [0])
    expect([name, { ...first, bytes: [...((first?.bytes ?? []) as Uint8Array)] }]).toEqual([
      name,
      { id: 1, whole, real: 0.1, words: 'क 🌞', bytes: [0, 255], none: null },
    ])
    expect(second).toMatchObject({ whole: 5, real: Number.POSITIVE_INFINITY, words: "it's", bytes: null })
    expect(() => opened.all('delete from things')).toThrow()
    expect(opened.all('select count(*) as things from things')).toEqual([{ things: 2 }])
    opened.close()
  }
})

it('says what is wrong: no file, no database, no library', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'autovolt-sqlite-'))
  cleanUpLater(() => rm(folder, { recursive: true }))
  const path = join(folder, 'words.db')
  await expect(openSqliteFile(path)).rejects.toMatchObject({ code: 'NOT_FOUND' })
  writeFileSync(path, 'These are words, and no database. '.repeat(200))
  await expect(openSqliteFile(path)).rejects.toMatchObject({
    code: 'CONFIGURATION',
    message: expect.stringMatching(/words\.db cannot be read as a database of SQLite: .*not a database/),
  })
  await expect(openSqliteFile(path, [])).rejects.toMatchObject({
    code: 'CONFIGURATION',
    message: expect.stringMatching(/npm install better-sqlite3/),
  })
})
