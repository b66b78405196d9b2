import { BSON } from 'mongodb'
import { createBackup } from '../../src/backup/dump/create-backup.js'
import type { BackupSource, PlannedCollection } from '../../src/backup/dump/dump-source.js'
import type { Block } from '../../src/backup/format/bson-blocks.js'
import { BlockBuilder } from '../../src/backup/format/bson-blocks.js'
import { verifyBackup } from '../../src/backup/read/verify-backup.js'
import { folderStorage } from '../../src/backup/storage/folder-storage.js'
import { StorageAccess } from '../../src/backup/storage/storage-access.js'
import { KeyRing } from '../../src/core/key-ring.js'
import { withFolder } from './folder.js'

// Writes a backup of so many bytes, verifies it, and sends the most memory that it had.
const totalBytes = Number(process.argv[2])
const document = Buffer.from(
  BSON.serialize({ n: 0, text: Array.from({ length: 200 }, () => Math.random().toString(36).slice(2, 6)).join(' ') }),
)

function collection(name: string): PlannedCollection {
  return { name, type: 'collection', isAtClusterTime: true, options: {}, indexes: [], stored: name, uuid: undefined }
}

async function* blocks(bytes: number): AsyncGenerator<Block, void, undefined> {
  const builder = new BlockBuilder()
  for (let at = 0; at < bytes; at += document.length) {
    const block = builder.add(document, 0, document.length)
    if (block !== undefined) yield block
  }
  const last = builder.take()
  if (last !== undefined) yield last
}

const source: BackupSource = {
  facts: {
    database: 'bench',
    clusterTime: null,
    replicaSet: null,
    isWhole: true,
    timeline: null,
    serverVersion: '6.0.0',
    featureCompatibilityVersion: null,
    packageVersion: '0.0.0',
    checkpoint: null,
  },
  collections: [collection('one'), collection('two')],
  read: () => blocks(totalBytes / 2),
  requireUnchanged: async () => undefined,
}

await withFolder(async (folder) => {
  const storage = new StorageAccess(folderStorage(folder))
  const keyRing = new KeyRing({ active: 'bench', keys: { bench: Buffer.alloc(32, 1) } })
  const now = () => new Date()
  const { id } = await createBackup(source, storage, { compression: 'gzip', keyRing, signers: [], now })
  const { valid } = await verifyBackup(storage, id, { keyRing, verifierKeys: [] })
  if (!valid) throw new Error('The backup is damaged')
})
process.send?.(process.resourceUsage().maxRSS * 1024)
