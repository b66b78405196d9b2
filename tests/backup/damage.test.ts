import { randomBytes } from 'node:crypto'
import { MongoClient } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { createBackup } from '../../src/backup/dump/create-backup.js'
import { DumpSource } from '../../src/backup/dump/dump-source.js'
import type { BackupContent } from '../../src/backup/format/manifest.js'
import { openVerified, verifyBackup } from '../../src/backup/read/verify-backup.js'
import { StorageAccess } from '../../src/backup/storage/storage-access.js'
import { KeyRing } from '../../src/core/key-ring.js'
import { generateLogKeys, SignerKey, VerifierKey } from '../../src/ledger/log/signed-note.js'
import { cleanUpLater } from '../support/clean-up.js'
import { full } from '../support/extent.js'
import { startMongodProcess } from '../support/mongod-process.js'
import { MemoryStorage } from './support/memory-storage.js'

const { uri } = await startMongodProcess()
const client = new MongoClient(uri)
cleanUpLater(() => client.close())
const db = client.db('small')
const logKeys = generateLogKeys('school.example/energy')
const signers = [SignerKey.parse(logKeys.signerKey)]
const verifierKeys = [VerifierKey.parse(logKeys.verifierKey)]
const keyRing = new KeyRing({ active: 'a', keys: { a: randomBytes(32) } })

beforeAll(async () => {
  await db.collection('things').insertMany([{ a: 1 }, { a: 2 }])
  await db.createCollection('empty')
})

const forms = [
  { name: 'plain', compression: 'none', keyRing: undefined },
  { name: 'gzip', compression: 'gzip', keyRing: undefined },
  { name: 'sealed', compression: 'gzip', keyRing },
] as const

describe.each(forms)('a $name backup', (form) => {
  const storage = new MemoryStorage()
  const access = new StorageAccess(storage)
  let content: BackupContent

  beforeAll(async () => {
    const source = await DumpSource.open(db, { checkpoints: 'ledger_checkpoints', left: [], timeline: 'first' })
    content = await createBackup(source, access, { ...form, signers, now: () => new Date() })
  })

  const verify = () => verifyBackup(access, content.id, { keyRing: form.keyRing, verifierKeys })

  /** What is said of the backup while one of its files is another. */
  async function said(path: string, changed: Buffer | undefined): Promise<string> {
    const whole = storage.files.get(path)
    if (changed === undefined) storage.files.delete(path)
    else storage.files.set(path, changed)
    try {
      const report = await verify().catch((error: { code: string; message: string }) => error)
      if ('valid' in report) return report.valid ? 'valid' : report.findings.map((one) => one.path).join()
      return report.code === 'KEY_RING' ? report.message : `threw ${report.code} ${report.message}`
    } finally {
      if (whole !== undefined) storage.files.set(path, whole)
    }
  }

  it('is valid as it was written', async () => {
    expect(await verify()).toMatchObject({ valid: true, findings: [], caveats: [], documents: 2 })
  })

  it('is refused, and the file named, with any byte flipped, cut off or doubled', async () => {
    for (const [path, bytes] of [...storage.files]) {
      const name = path.slice(content.id.length + 1)
      // A prime, so that each place of a repeated structure has its turn.
      const step = full ? 1 : 7
      for (let at = 0; at < bytes.length; at += step) {
        const flipped = Buffer.from(bytes)
        flipped[at] = (flipped[at] ?? 0) ^ (1 << (at % 8))
        const doubled = Buffer.concat([bytes.subarray(0, at + 1), bytes.subarray(at)])
        for (const changed of [flipped, bytes.subarray(0, at), doubled])
          expect(await said(path, changed), `${name} at ${at}`).toContain(name)
      }
      if (bytes.length > 0) expect(await said(path, Buffer.concat([bytes, bytes])), `${name} twice`).toContain(name)
      if (name !== 'manifest.json') expect(await said(path, undefined), `${name} gone`).toContain(name)
    }
  })

  it('is refused if the files of two collections are exchanged', async () => {
    const [one, other] = content.collections.map(({ dataFile }) => `${content.id}/${dataFile}`) as [string, string]
    const [first, second] = [storage.files.get(one) as Buffer, storage.files.get(other) as Buffer]
    storage.files.set(one, second).set(other, first)
    expect((await verify()).findings.map(({ path }) => path).sort()).toEqual(
      content.collections.map(({ dataFile }) => dataFile).sort(),
    )
    storage.files.set(one, first).set(other, second)
  })

  it('is refused with a manifest that is nested without end', async () => {
    const path = `${content.id}/manifest.json`
    const manifest = (storage.files.get(path) as Buffer).toString()
    const deep = `{"options":${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`
    const changed = manifest.replaceAll(/\{"options":\{/g, `${deep},"more":{`)
    expect(await said(path, Buffer.from(changed === manifest ? deep : changed))).toContain('manifest.json')
  })

  it('is none without its manifest', async () => {
    const path = `${content.id}/manifest.json`
    const manifest = storage.files.get(path) as Buffer
    storage.files.delete(path)
    await expect(verify()).rejects.toMatchObject({ code: 'NOT_FOUND' })
    storage.files.set(path, manifest)
  })

  it('is refused if another key has signed it, and says so if nobody can check', async () => {
    const others = [VerifierKey.parse(generateLogKeys('school.example/energy').verifierKey)]
    const report = await verifyBackup(access, content.id, { keyRing: form.keyRing, verifierKeys: others })
    expect(report.findings).toEqual([{ path: 'manifest.json', problem: 'it is not signed by one of the keys' }])
    const unchecked = await verifyBackup(access, content.id, { keyRing: form.keyRing, verifierKeys: [] })
    expect(unchecked).toMatchObject({ valid: true, caveats: [expect.stringContaining('signature was not checked')] })
  })

  it('tells of a file that does not belong to it', async () => {
    await access.write(`${content.id}/small/other.bson`, (async function* () {})())
    expect(await verify()).toMatchObject({ valid: true, caveats: ['small/other.bson does not belong to it'] })
    await access.remove(`${content.id}/small/other.bson`)
  })
})

describe('a sealed backup', () => {
  const storage = new MemoryStorage()
  const access = new StorageAccess(storage)
  let content: BackupContent

  beforeAll(async () => {
    const source = await DumpSource.open(db, { checkpoints: 'ledger_checkpoints', left: [], timeline: 'first' })
    const options = { compression: 'none', keyRing, signers, now: () => new Date() } as const
    content = await createBackup(source, access, options)
  })

  it('shows nothing of its documents', () => {
    const all = Buffer.concat([...storage.files].filter(([path]) => !path.endsWith('manifest.json')).map(([, b]) => b))
    expect(all.includes(Buffer.from([0x10, 0x61, 0, 1, 0, 0, 0]))).toBe(false)
    expect(all.includes('things')).toBe(false)
  })

  it('is compared with its manifest without a key, and says what was not looked at', async () => {
    const report = await verifyBackup(access, content.id, { keyRing: undefined, verifierKeys })
    expect(report).toMatchObject({ valid: true, caveats: [expect.stringContaining('it is encrypted')] })
  })

  it('is not opened with another key, of another name or of the same one', async () => {
    for (const active of ['a', 'b']) {
      const other = new KeyRing({ active, keys: { [active]: randomBytes(32) } })
      await expect(verifyBackup(access, content.id, { keyRing: other, verifierKeys })).rejects.toMatchObject({
        code: 'KEY_RING',
        message: expect.stringContaining(`${content.id}/key.txt`),
      })
    }
  })
})

it('a damaged backup is not opened for a restore, and the error names every file', async () => {
  const storage = new MemoryStorage()
  const access = new StorageAccess(storage)
  const source = await DumpSource.open(db, { checkpoints: 'ledger_checkpoints', left: [], timeline: 'first' })
  const content = await createBackup(source, access, {
    compression: 'none',
    keyRing: undefined,
    signers: [],
    now: () => new Date(),
  })
  storage.files.set(`${content.id}/small/things.bson`, Buffer.alloc(5))
  storage.files.delete(`${content.id}/prelude.json`)
  await expect(openVerified(access, content.id, { keyRing: undefined, verifierKeys: [] })).rejects.toMatchObject({
    code: 'BACKUP_DAMAGED',
    message: expect.stringMatching(/(?=.*small\/things\.bson)(?=.*prelude\.json: it is missing)/),
  })
})
