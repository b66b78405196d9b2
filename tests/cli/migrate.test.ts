import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transformSync } from 'esbuild'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { onlyHosts } from '../migrations/support/migrating.js'
import { bundled } from '../support/bundled.js'
import { cleanUpLater } from '../support/clean-up.js'
import { testDatabase } from '../support/database.js'
import { root, runAutovolt } from './support/run-command.js'

const database = testDatabase()
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'autovolt-cli-migrations-'))
  cleanUpLater(() => rm(folder, { recursive: true }))
  await write('1-first', '1')
  await write('2-second', '2')
})
beforeEach(() => database.db.dropDatabase())

function write(name: string, by: string): Promise<void> {
  const effects = `db.collection('effects')`
  return writeFile(
    join(folder, `${name}.mjs`),
    `export const transaction = true
export const up = async ({ db }) => ${effects}.insertOne({ by: '${by}' })
export const down = async ({ db }) => ${effects}.deleteOne({ by: '${by}' })`,
  )
}

const autovolt = (...args: readonly string[]) => {
  const env = { MONGODB_URI: database.uri, MONGODB_DB_NAME: database.dbName }
  return runAutovolt(args, { env })
}
const migrate = (...args: readonly string[]) => autovolt('migrate', ...args, '--folder', folder)
const effects = () => database.db.collection('effects').countDocuments()

describe('autovolt migrate', () => {
  it('runs what is pending, in lines, and then says that nothing is', async () => {
    const first = await migrate()
    expect([first.code, first.errors]).toEqual([0, expect.stringContaining('started 1-first')])
    expect(first.out).toMatch(/applied 1-first\napplied 2-second\n$/)
    expect(await effects()).toBe(2)
    const second = await migrate()
    expect([second.code, second.out, second.errors]).toEqual([0, 'Nothing was to be run\n', ''])
  })

  it('plans, shows how all stand, and keeps who did what', async () => {
    await onlyHosts(database)
    const planned = await migrate('plan')
    expect([planned.code, planned.out]).toEqual([0, expect.stringContaining('2-second')])
    expect(await effects()).toBe(0)
    await migrate('--to', '1-first', '--actor', 'asha')
    const status = await migrate('status', '--json')
    expect(status.code).toBe(0)
    const states = JSON.parse(status.out).migrations.map(({ id, state }: { id: string; state: string }) => [id, state])
    expect(states).toEqual(
      expect.arrayContaining([
        ['1-first', 'applied'],
        ['2-second', 'pending'],
      ]),
    )
    const [shown, history] = await Promise.all([migrate('status'), migrate('history')])
    expect(shown.out).toMatch(/^applied +1-first .* by asha on /m)
    expect(history.out).toMatch(/migrate 1-first done .*asha/)
  })

  it('rolls back only what it is told to lose', async () => {
    await onlyHosts(database)
    await migrate()
    const asked = await migrate('rollback', '--steps', '2')
    expect([asked.code, asked.out]).toEqual([
      1,
      'would roll back 2-second\nwould roll back 1-first\nNothing was changed: say --yes\n',
    ])
    expect(await effects()).toBe(2)
    const done = await migrate('rollback', '--to', '1-first', '--yes')
    expect([done.code, done.out]).toEqual([0, 'rolled back 2-second\n'])
    expect(await effects()).toBe(1)
  })

  it('says what is wrong with exit code 1, and takes the decision', async () => {
    await onlyHosts(database)
    await migrate()
    await write('2-second', 'changed')
    const stopped = await migrate()
    expect([stopped.code, stopped.out]).toEqual([1, ''])
    expect(stopped.errors).toMatch(
      /2-second was changed .*autovolt migrate repair 2-second --applied.*MIGRATION_DRIFT/s,
    )
    const validated = await migrate('validate')
    expect([validated.code, validated.out]).toEqual([1, expect.stringContaining('edited: 2-second')])
    expect((await migrate('repair', '2-second', '--applied', '--retry')).code).toBe(2)
    expect((await migrate('repair', '2-second', '--applied')).code).toBe(0)
    expect((await migrate('validate')).out).toBe('Nothing is wrong\n')
    await write('2-second', '2')
  })

  it('writes down what is there already, and frees no lock that nobody has', async () => {
    const { code, out } = await migrate('baseline', '2-second')
    expect([code, out]).toEqual([0, expect.stringContaining('written down as applied: 2-second')])
    expect(await effects()).toBe(0)
    expect((await migrate('unlock')).out).toBe('Nobody had the lock\n')
  })

  it('writes a file for a new one without a database', async () => {
    const made = join(folder, 'made')
    const created = await runAutovolt(['migrate', 'create', 'Add priority', '--folder', made, '--language', 'js'])
    expect([created.code, created.errors]).toEqual([0, ''])
    const [file = ''] = await readdir(made)
    expect(file).toMatch(/^\d{14}-add-priority\.js$/)
    expect(await readFile(join(made, file), 'utf8')).toContain("description = 'add priority'")
  })

  it('runs TypeScript as it is with a loader, and what was built of it counts as the same', async () => {
    await onlyHosts(database)
    const [typed, built] = [join(folder, 'typed'), join(folder, 'built')]
    await Promise.all([mkdir(typed), mkdir(built)])
    const text = `type Given = { db: import('mongodb').Db }
export const up = async ({ db }: Given): Promise<void> => {
  const count: number = 1
  await db.collection('effects').insertOne({ count })
}`
    await writeFile(join(typed, '1-typed.ts'), text)
    await writeFile(join(built, '1-typed.mjs'), transformSync(text, { loader: 'ts', target: 'node20' }).code)
    const withLoader = [
      '--import',
      'tsx',
      fileURLToPath(bundled(new URL('../../src/cli/autovolt.ts', import.meta.url))),
    ]
    const env = { MONGODB_URI: database.uri, MONGODB_DB_NAME: database.dbName }
    const first = await runAutovolt(['migrate', '--folder', typed], { program: withLoader, env })
    expect([first.code, first.out]).toEqual([0, expect.stringContaining('applied 1-typed\n')])
    expect((await autovolt('migrate', 'validate', '--folder', built)).out).toBe('Nothing is wrong\n')
    expect(await effects()).toBe(1)
  })

  it('shows what a migration has noted', async () => {
    await database.db.collection('alerts').insertOne({ level: 'low', severity: 'high' })
    const { out } = await migrate()
    expect(out).toContain('note of autovolt-7-alert-severity: 1 alerts have a level and a severity')
    expect((await migrate('status')).out).toContain('  note of autovolt-7-alert-severity: 1 alerts')
  })

  it('seeds an empty database, and no other one unless told', async () => {
    await autovolt('setup')
    expect((await autovolt('seed', '--json')).code).toBe(0)
    const again = await autovolt('seed')
    expect([again.code, again.errors]).toEqual([1, expect.stringContaining('--not-empty')])
    expect((await autovolt('seed', '--not-empty')).code).toBe(0)
    expect(await database.db.collection('devices').countDocuments()).toBe(4)
  })

  it('sets up, and says before what differs', async () => {
    expect((await autovolt('setup', '--dry-run')).code).toBe(1)
    expect((await autovolt('setup')).code).toBe(0)
    expect((await autovolt('setup', '--dry-run')).out).toBe('Everything is as declared\n')
  })

  it('ends with 2 where it cannot be done, and shows no credentials', async () => {
    const wrong = [
      [['migrate'], { MONGODB_URI: '' }, 'Set MONGODB_URI'],
      [['migrate', '--uri-file', join(folder, 'none')], {}, 'no such file'],
      [
        ['migrate'],
        { MONGODB_URI: 'mongodb://asha:secret@127.0.0.1:1/school?serverSelectionTimeoutMS=500' },
        'CONNECTION',
      ],
      [['migrate', '--late', 'perhaps'], {}, '--late takes run or refuse'],
      [['migrate', 'rollback', '--steps', 'two'], {}, '--steps takes a whole number'],
      [['migrate', '--fast'], {}, 'fast'],
      [['migrate', 'create'], {}, 'one name'],
      [['migrate', 'repair', '--retry'], {}, 'ID'],
    ] as const
    await Promise.all(
      wrong.map(async ([args, env, why]) => {
        const { code, out, errors } = await runAutovolt(args, {
          cwd: root,
          env: { MONGODB_URI: database.uri, MONGODB_DB_NAME: database.dbName, ...env },
        })
        expect([args, code, out]).toEqual([args, 2, ''])
        expect(errors).toContain(why)
        expect(errors).not.toContain('secret')
      }),
    )
  })
})
