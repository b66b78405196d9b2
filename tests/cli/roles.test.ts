import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import { beforeAll, expect, it } from 'vitest'
import { cleanUpLater } from '../support/clean-up.js'
import { type SecuredMongod, startSecuredMongod } from '../support/secured-mongod.js'
import { runAutovolt } from './support/run-command.js'

let secured: SecuredMongod
const autovolt = (...args: readonly string[]) =>
  runAutovolt(['roles', ...args], { env: { MONGODB_URI: secured.uriOf('owner'), MONGODB_DB_NAME: 'school' } })

beforeAll(async () => {
  secured = await startSecuredMongod()
}, 120_000)

it('autovolt roles says what is missing, creates it, and creates users', async () => {
  const before = await autovolt()
  expect(before).toMatchObject({ code: 1, errors: '' })
  expect(before.out).toMatch(/^autovolt_application_school +missing /m)
  const created = await autovolt('--create')
  expect([created.code, created.out.match(/ created /g)]).toEqual([0, Array.from({ length: 6 }, () => ' created ')])
  expect(await autovolt()).toMatchObject({ code: 0 })

  const { code, out, errors } = await autovolt('--user', 'school-service', '--role', 'application')
  expect([code, errors]).toEqual([
    0,
    'school-service was created with the role autovolt_application_school; it logs in with authSource=admin\n',
  ])
  expect(out).toMatch(/^[\w-]{32}\n$/)
  await using client = new MongoClient(secured.uriWith('school-service', out.trim()))
  await client.db('school').collection('devices').insertOne({ name: 'a' })

  expect(await autovolt('--user', 'school-service', '--role', 'metrics')).toMatchObject({ code: 2, out: '' })
  const wrong = [
    ['--user', 'a'],
    ['--user', 'a', '--role', 'king'],
    ['--role', 'metrics'],
    ['--create', '--script'],
    ['--certificate', 'CN=a', '--role', 'metrics', '--password-file', 'a'],
  ]
  const ends = await Promise.all(wrong.map((args) => autovolt(...args)))
  expect(ends.map((end) => [end.code, end.out])).toEqual(wrong.map(() => [2, '']))
})

it('autovolt roles --password-file writes the password where only its owner reads it, and nowhere else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'autovolt-roles-'))
  cleanUpLater(() => rm(folder, { recursive: true }))
  await autovolt('--create')
  const file = join(folder, 'password')
  const { code, out } = await autovolt('--user', 'in-a-file', '--role', 'metrics', '--password-file', file, '--json')
  expect([code, JSON.parse(out)]).toEqual([
    0,
    { user: 'in-a-file', authSource: 'admin', role: 'autovolt_metrics_school', password: null },
  ])
  expect((await stat(file)).mode & 0o777).toBe(0o600)
  await using client = new MongoClient(secured.uriWith('in-a-file', (await readFile(file, 'utf8')).trim()))
  await client.db('admin').command({ serverStatus: 1 })
  // A file that is there stays as it is, and no user comes about whose password nobody has.
  const again = await autovolt('--user', 'in-no-file', '--role', 'metrics', '--password-file', file)
  expect(again.code).toBe(2)
  const { users } = await secured.owner.db('admin').command({ usersInfo: { user: 'in-no-file', db: 'admin' } })
  expect(users).toEqual([])
})

it('autovolt roles --script prints what mongosh runs', async () => {
  const { code, out } = await autovolt('--script')
  expect(code).toBe(0)
  const names: string[] = []
  // The part of mongosh that the script uses.
  const admin = { getRole: () => null, createRole: ({ role }: { role: string }) => void names.push(role) }
  new Function('db', out)({ getSiblingDB: () => admin })
  expect(names).toEqual(
    ['application', 'migration', 'backup', 'restore', 'metrics', 'auditor'].map((of) => `autovolt_${of}_school`),
  )
})
