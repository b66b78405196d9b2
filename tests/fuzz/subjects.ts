import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ObjectId } from 'mongodb'
import { createBackup } from '../../src/backup/dump/create-backup.js'
import { DumpSource } from '../../src/backup/dump/dump-source.js'
import { StorageAccess } from '../../src/backup/storage/storage-access.js'
import { generateLogKeys, SignerKey } from '../../src/ledger/log/signed-note.js'
import { MemoryStorage } from '../backup/support/memory-storage.js'
import { startBackupServer } from '../backup/support/server.js'
import { cleanUpLater } from '../support/clean-up.js'
import type { TestDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'
import type { Subjects } from './targets.js'

/** The server of the other tests keeps no history, which a backup reads. */
async function backedUpWith(signerKey: string): Promise<Map<string, Buffer>> {
  const server = await startBackupServer()
  const db = server.db(server.newName())
  await db.collection('things').insertMany([{ a: 1 }, { a: 2 }])
  const source = await DumpSource.open(db, { checkpoints: 'ledger_checkpoints', left: [], timeline: 'first' })
  const storage = new MemoryStorage()
  const signers = [SignerKey.parse(signerKey)]
  const making = { compression: 'gzip', keyRing: undefined, signers, now: () => new Date() } as const
  await createBackup(source, new StorageAccess(storage), making)
  return storage.files
}

/** A handle on a database that is set up, and an export of a small ledger with two checkpoints. */
export async function fuzzSubjects(database: TestDatabase): Promise<Subjects> {
  const { signerKey, verifierKey } = generateLogKeys('fuzz.example/log')
  const volt = await openVolt(database, { ledgerLog: { signerKeys: [signerKey] } })
  await volt.setup()
  const place = { switchId: new ObjectId(), deviceId: new ObjectId(), classroom: new ObjectId() }
  for (const at of [0, 1, 2]) {
    await volt.ledger.append([
      {
        ...place,
        timestamp: new Date(Date.UTC(2026, 2, 1, 10, at)),
        receivedAt: new Date(Date.UTC(2026, 2, 1, 10, at)),
        eventType: 'power_reading',
        powerState: true,
        powerRating: 75,
        energySource: 'power',
        reading: { powerW: 50 + at },
        gapLimitMs: 300_000,
        ratePerKwh: 7.5,
        flags: [],
        idempotencyKey: `fuzz-${at}`,
        metadata: { source: 'api' },
      },
    ])
    await volt.ledger.checkpoint()
  }
  const pieces: string[] = []
  for await (const piece of volt.ledger.export()) pieces.push(piece)
  const folder = await mkdtemp(join(tmpdir(), 'autovolt-fuzz-'))
  const env = { MONGODB_URI: database.uri, MONGODB_DB_NAME: `${database.dbName}_cli`, BACKUP_DIR: folder }
  cleanUpLater(async () => {
    await database.client.db(env.MONGODB_DB_NAME).dropDatabase()
    await rm(folder, { recursive: true })
  })
  return { volt, exported: Buffer.from(pieces.join('')), verifierKey, backedUp: await backedUpWith(signerKey), env }
}
