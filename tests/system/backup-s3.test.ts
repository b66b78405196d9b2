import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdir, utimes } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { s3Storage } from '@autovolt/data/backup'
import { ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3'
import { describe, expect, it } from 'vitest'
import { startBackupServer } from '../backup/support/server.js'
import { storageContract } from '../backup/support/storage-contract.js'
import { fillZoo } from '../backup/support/zoo.js'
import { cleanUpLater } from '../support/clean-up.js'
import { freePort } from '../support/free-port.js'
import { openVolt } from '../support/volt.js'
import { someOf, stepsOn } from './support/backup-steps.js'
import { startS3Server } from './support/versitygw.js'

const bucket = 'backups'
const s3 = await startS3Server(bucket)
const mebibyte = 1 << 20
const options = { bucket, endpoint: s3.endpoint, credentials: s3.credentials, region: 'us-east-1' }
const storage = s3Storage({ ...options, prefix: 'school/', partBytes: 5 * mebibyte })

/** The service comes back: from now on it answers at this port. */
async function forwardTo(endpoint: string, port: number): Promise<void> {
  const { hostname, port: target } = new URL(endpoint)
  const server = createServer((client) => {
    const service = connect(Number(target), hostname)
    client.pipe(service).pipe(client)
    client.on('error', () => service.destroy())
    service.on('error', () => client.destroy())
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  cleanUpLater(async () => {
    server.close()
  })
}

async function openUploads(): Promise<unknown[]> {
  const client = new S3Client({ ...options, forcePathStyle: true })
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }))
  client.destroy()
  return Uploads
}

describe('a bucket', () => {
  storageContract(async () => storage)

  it('has no parts of an upload that failed', async () => {
    const failing = async function* () {
      for (let at = 0; at < 12; at += 1) yield randomBytes(mebibyte)
      throw new Error('the content failed')
    }
    await expect(storage.write('x/failed', failing())).rejects.toThrow('the content failed')
    expect(await openUploads()).toEqual([])
  })

  it('keeps its prefix, and gives an error with the path for a wrong secret, without the secret', async () => {
    await storage.write(
      'y/file',
      (async function* () {
        yield Buffer.from('x')
      })(),
    )
    expect(await readdir(join(s3.folder, bucket, 'school/y'))).toEqual(['file'])
    const server = await startBackupServer()
    const name = server.newName()
    await server.db(name).collection('things').insertOne({ a: 1 })
    const volt = await openVolt({ uri: server.uri, dbName: name })
    const credentials = { accessKeyId: 'autovolt', secretAccessKey: 'another one' }
    const error = await volt.backup.create({ storage: s3Storage({ ...options, credentials }) }).catch((one) => one)
    expect(error).toMatchObject({
      code: 'STORAGE',
      message: expect.stringMatching(/prelude\.json.* \(s3:\/\/backups\/\)/),
    })
    expect(JSON.stringify(error) + error.stack).not.toContain('another one')
  })
})

it('a backup goes to a bucket and comes back, larger than a part, and is removed from there', async () => {
  const server = await startBackupServer()
  const name = server.newName()
  await fillZoo(server.db(name))
  const random = Array.from({ length: 14 }, (_, n) => ({ n, bytes: randomBytes(mebibyte) }))
  await server.db(name).collection('large').insertMany(random)
  const volt = await openVolt({ uri: server.uri, dbName: name })
  const backups = s3Storage({ ...options, prefix: 'large/', partBytes: 5 * mebibyte })
  await volt.backup.create({ storage: backups, encrypt: true })
  const { id } = await volt.backup.create({ storage: backups })
  expect(await volt.backup.verify({ storage: backups })).toMatchObject({ id, valid: true })
  const into = server.newName()
  await volt.backup.restore({ storage: backups, target: { into } })
  const { collections: restored } = await server.db(into).command({ dbHash: 1, collections: ['large', 'animals'] })
  const { collections: before } = await server.db(name).command({ dbHash: 1, collections: ['large', 'animals'] })
  expect(restored).toEqual(before)
  await volt.backup.prune({ storage: backups, keep: { days: 0, last: 1 } })
  expect((await volt.backup.list(backups)).map((one) => one.id)).toEqual([id])
  expect(await openUploads()).toEqual([])
})

it('a service that is gone makes an error, and a later backup is right', async () => {
  const server = await startBackupServer()
  const name = server.newName()
  await server.db(name).collection('things').insertOne({ a: 1 })
  const volt = await openVolt({ uri: server.uri, dbName: name })
  const port = await freePort()
  const away = s3Storage({ ...options, endpoint: `http://127.0.0.1:${port}`, prefix: 'away/' })
  await expect(volt.backup.create({ storage: away })).rejects.toMatchObject({ code: 'STORAGE', retryable: true })
  await forwardTo(s3.endpoint, port)
  const { id } = await volt.backup.create({ storage: away })
  expect(await volt.backup.verify({ storage: away, backup: id })).toMatchObject({ valid: true })
})

it('of a process that is killed while it uploads nothing passes for whole, and what it has left is removed a day later', async () => {
  const server = await startBackupServer()
  const name = server.newName()
  await fillZoo(server.db(name))
  const random = Array.from({ length: 14 }, (_, n) => ({ n, bytes: randomBytes(mebibyte) }))
  await server.db(name).collection('large').insertMany(random)
  const killed = { ...options, prefix: 'killed/', partBytes: 5 * mebibyte }
  const { run, killAt } = stepsOn(server.uri)
  const environment = { DB_NAME: name, FOLDER: '', TASK: 'create', S3: JSON.stringify(killed) }
  const steps = await run(environment)
  const volt = await openVolt({ uri: server.uri, dbName: name })
  const backups = s3Storage(killed)
  for (const step of someOf(steps, 14)) {
    await killAt(step, steps, environment)
    for (const { id, state } of await volt.backup.list(backups)) {
      expect(state).not.toBe('damaged')
      if (state === 'complete') expect((await volt.backup.verify({ storage: backups, backup: id })).valid).toBe(true)
    }
  }
  await run(environment)
  expect(await volt.backup.verify({ storage: backups })).toMatchObject({ valid: true })
  // They may still be under way elsewhere.
  expect(await openUploads()).not.toEqual([])
  const twoDaysAgo = new Date(Date.now() - 2 * 24 * 60 * 60_000)
  for (const entry of await readdir(join(s3.folder, bucket), { recursive: true, withFileTypes: true }))
    if (entry.parentPath.includes('multipart')) await utimes(join(entry.parentPath, entry.name), twoDaysAgo, twoDaysAgo)
  await volt.backup.create({ storage: s3Storage(killed) })
  expect(await openUploads()).toEqual([])
})
