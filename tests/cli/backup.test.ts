import { type ChildProcess, spawn } from 'node:child_process'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { newFolder } from '../backup/support/folder.js'
import { readDumpArchive } from '../backup/support/mongodump-reader.js'
import { startBackupServer } from '../backup/support/server.js'
import { bundled } from '../support/bundled.js'

const server = await startBackupServer()
const program = fileURLToPath(bundled(new URL('../../src/cli/autovolt.ts', import.meta.url)))
const ring = JSON.stringify({ active: 'a', keys: { a: Buffer.alloc(32, 1).toString('base64') } })

interface Ended {
  readonly code: number | null
  readonly out: Buffer
  readonly text: string
  readonly errors: string
}

interface Running {
  readonly child: ChildProcess
  readonly ended: Promise<Ended>
}

function start(args: readonly string[], env: Readonly<Record<string, string>> = {}): Running {
  const child = spawn(process.execPath, [program, ...args], {
    env: { ...process.env, MONGODB_URI: server.uri, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, errors]: [Buffer[], Buffer[]] = [[], []]
  child.stdout.on('data', (bytes) => out.push(bytes))
  child.stderr.on('data', (bytes) => errors.push(bytes))
  const ended = new Promise<Ended>((resolve) => {
    child.once('close', (code) => {
      const whole = Buffer.concat(out)
      resolve({ code, out: whole, text: whole.toString(), errors: Buffer.concat(errors).toString() })
    })
  })
  return { child, ended }
}

const run = (args: readonly string[], env?: Readonly<Record<string, string>>) => start(args, env).ended

let name: string

beforeAll(async () => {
  name = server.newName()
  await server
    .db(name)
    .collection('things')
    .insertMany(Array.from({ length: 100 }, (_, n) => ({ n })))
  await server.db(name).collection('others').insertOne({ a: 1 })
})

describe('autovolt backup, backups, verify-backup and restore', () => {
  it('store slices, list the instants that can be reached, and bring one back', async () => {
    const env = { BACKUP_DIR: await newFolder() }
    const own = server.newName()
    const things = server.db(own).collection('things')
    await things.insertOne({ a: 1 })
    expect(await run(['backup', '--slice', '--db', own], env)).toMatchObject({
      code: 2,
      errors: expect.stringMatching(/slices go on from a backup/),
    })
    await run(['backup', '--db', own], env)
    await things.insertOne({ a: 2 })
    const { operationTime } = await server.db(own).command({ ping: 1 })
    await sleep(1100)
    await things.drop()
    await sleep(1100)
    const sliced = await run(['backup', '--slice', '--db', own], env)
    expect(sliced).toMatchObject({ code: 0, text: expect.stringMatching(/^slice .*: 2 entries, .* reachable until/) })
    const listed = await run(['restore', '--list'], { ...env, MONGODB_URI: '' })
    expect(listed.text).toMatch(new RegExp(`^${own}: 20[^ ]+Z to 20[^ ]+Z, from autovolt_backup_`))
    const to = new Date(operationTime.t * 1000).toISOString()
    const into = server.newName()
    expect(await run(['restore', '--to', to, '--into', into], env)).toMatchObject({ code: 0 })
    expect(await server.db(into).collection('things').countDocuments()).toBe(2)
    expect(await run(['restore', '--to', to, '--db', own, '--drop', '--collection', 'things'], env)).toMatchObject({
      code: 0,
    })
    expect(await things.countDocuments()).toBe(2)
    const early = await run(['restore', '--to', '2020-01-01T00:00:00Z', '--into', server.newName()], env)
    expect(early).toMatchObject({ code: 2, errors: expect.stringMatching(/HISTORY_LOST/) })
  })

  it('make a backup in BACKUP_DIR, list it, verify it without a database, and bring it back', async () => {
    const folder = await newFolder()
    const env = { BACKUP_DIR: folder }
    const made = await run(['backup', '--db', name, '--json'], env)
    expect(made.code).toBe(0)
    expect(made.errors).toBe('')
    const { id, ...report } = JSON.parse(made.text)
    expect(report).toMatchObject({ valid: true, documents: 101, removed: [] })

    const offline = { ...env, MONGODB_URI: '' }
    const listed = await run(['backups'], offline)
    expect(listed.text).toMatch(new RegExp(`^${id} .* ${name}, 101 documents, \\d{4}-\\d\\d-\\d\\dT`))
    const verified = await run(['verify-backup'], offline)
    expect([verified.code, verified.text]).toEqual([0, expect.stringContaining(`${id}: sound, 101 documents`)])
    expect(verified.errors).toContain(`verifying things\n`)

    const into = server.newName()
    const dry = await run(['restore', '--into', into, '--dry-run'], env)
    expect(dry.text).toContain('2 collections with 101 documents would be restored')
    const restored = await run(
      ['restore', id, '--into', into, '--collection', 'things', '--rename', 'things=found'],
      env,
    )
    expect([restored.code, restored.text]).toEqual([
      0,
      expect.stringContaining('1 collections with 100 documents restored'),
    ])
    expect(await server.db(into).collection('found').countDocuments()).toBe(100)
  })

  it('restore in place only when it is said', async () => {
    const [live, folder] = [server.newName(), await newFolder()]
    await server.db(live).collection('things').insertOne({ a: 1 })
    const env = { BACKUP_DIR: folder }
    await run(['backup', '--db', live], env)
    await server.db(live).collection('things').insertOne({ a: 2 })
    const refused = await run(['restore', '--db', live], env)
    expect([refused.code, refused.errors]).toEqual([2, expect.stringContaining('Say where to: --into NAME')])
    const own = await run(['restore', '--into', live], env)
    expect([own.code, own.errors]).toEqual([2, expect.stringContaining('has collections already (things)')])
    const merged = await run(['restore', '--db', live, '--merge', 'skip'], env)
    expect(merged.code).toBe(0)
    expect(await server.db(live).collection('things').countDocuments()).toBe(2)
    expect((await run(['restore', '--db', live, '--drop'], env)).code).toBe(0)
    expect(await server.db(live).collection('things').countDocuments()).toBe(1)
  })

  it('write an archive of mongodump to the standard output, and take it back', async () => {
    const { code, out } = await run(['backup', '--db', name, '--storage', '-'])
    expect(code).toBe(0)
    expect(readDumpArchive(out).get('things')?.documents).toHaveLength(100)
    const folder = await newFolder()
    await writeFile(join(folder, 'archive'), out)
    const imported = await run(['backups', '--import', join(folder, 'archive')], { BACKUP_DIR: folder })
    expect(imported.text).toContain(`${name}, 101 documents`)
  })

  it('encrypt with the key ring of AUTOVOLT_KEYS, and say that the key is missing', async () => {
    const env = { BACKUP_DIR: await newFolder(), AUTOVOLT_KEYS: ring }
    expect((await run(['backup', '--db', name, '--encrypt'], env)).code).toBe(0)
    expect((await run(['verify-backup'], env)).code).toBe(0)
    const without = await run(['verify-backup'], { ...env, AUTOVOLT_KEYS: '' })
    expect(without.text).toContain('note: it is encrypted, and there is no key ring')
    const other = JSON.stringify({ active: 'a', keys: { a: Buffer.alloc(32, 2).toString('base64') } })
    const wrong = await run(['restore', '--into', server.newName()], { ...env, AUTOVOLT_KEYS: other })
    expect([wrong.code, wrong.errors]).toEqual([2, expect.stringContaining('(KEY_RING)')])
  })

  it('name a damaged file, with exit code 1, and restore nothing of it', async () => {
    const env = { BACKUP_DIR: await newFolder() }
    await run(['backup', '--db', name, '--plain'], env)
    const [id = ''] = (await readdir(env.BACKUP_DIR)).filter((one) => one.startsWith('autovolt'))
    const file = join(env.BACKUP_DIR, id, name, 'things.bson')
    const bytes = await readFile(file)
    bytes[50] = (bytes[50] ?? 0) ^ 1
    await writeFile(file, bytes)
    const damaged = await run(['verify-backup', id], env)
    expect([damaged.code, damaged.text]).toEqual([1, expect.stringContaining(`damaged: ${name}/things.bson: `)])
    const refused = await run(['restore', id, '--into', server.newName()], env)
    expect([refused.code, refused.errors]).toEqual([2, expect.stringContaining('nothing was restored')])
  })

  it('remove old backups by BACKUP_RETENTION_DAYS or rules, and say so before they do', async () => {
    const env = { BACKUP_DIR: await newFolder(), BACKUP_RETENTION_DAYS: '0' }
    for (let at = 0; at < 2; at += 1) await run(['backup', '--db', name, '--keep-all'], env)
    const dry = await run(['backups', '--db', name, '--prune', '--dry-run'], env)
    expect(dry.text).toMatch(/^remove \S+: nothing asks for it\nkeep \S+: the newest that verifies$/m)
    const kept = await run(['backups', '--db', name, '--prune', '--keep-last', '2', '--json'], env)
    expect(JSON.parse(kept.text).decisions.map(({ action }: { action: string }) => action)).toEqual(['keep', 'keep'])
    expect((await run(['backup', '--db', name], env)).text.match(/^removed /gm)).toHaveLength(2)
    expect(JSON.parse((await run(['backups', '--json'], env)).text)).toHaveLength(1)
  })

  it('say in one line what is wrong with what they were given, without the password', async () => {
    const secret = 'mongodb://someone:secret@127.0.0.1:1/?serverSelectionTimeoutMS=100'
    const file = join(await newFolder(), 'uri')
    await writeFile(file, `${secret}\n`)
    const wrong: [readonly string[], RegExp][] = [
      [['backup', '--db', name, '--uri-file', file], /^(?!.*secret).*127\.0\.0\.1:1.*\(CONNECTION\)\n$/],
      [['backup', '--nothing'], /Unknown option '--nothing'/],
      [['backup', '--db', name, '--keep-days', 'many'], /--keep-days is a whole number/],
      [['verify-backup', 'yesterday'], /picks no backup/],
      [['restore', '--into', 'x', '--merge', 'skip'], /Say where to/],
      [['backup', '--db', name, '--storage', '-', '--encrypt'], /A stream is not encrypted/],
    ]
    const refused = wrong.map(async ([args, message]) => {
      const { code, errors, text } = await run(args, { BACKUP_DIR: await newFolder() })
      expect([args, code, text, errors]).toEqual([args, 2, '', expect.stringMatching(message)])
    })
    const [help] = await Promise.all([run(['restore', '--help']), ...refused])
    expect([help.code, help.text]).toEqual([0, expect.stringContaining('Usage: autovolt restore')])
  })

  it('stop in order at Ctrl-C, and leave no backup', async () => {
    const large = server.newName()
    const text = 'x'.repeat(10_000)
    for (let at = 0; at < 10; at += 1)
      await server
        .db(large)
        .collection('large')
        .insertMany(Array.from({ length: 1000 }, (_, n) => ({ n, text })))
    const env = { BACKUP_DIR: await newFolder() }
    const { child, ended } = start(['backup', '--db', large], env)
    child.stderr?.once('data', () => child.kill('SIGINT'))
    expect(await ended).toMatchObject({ code: 2, errors: expect.stringMatching(/Stopped by SIGINT\n$/) })
    expect((await run(['backups'], env)).text).not.toContain('documents')
  })
})
