import { Socket } from 'node:net'
import { AutoVolt } from '@autovolt/data'
import { type BackupStorage, folderStorage, s3Storage } from '@autovolt/data/backup'
import { tellParent } from '../../support/parent.js'

// Does one thing with backups, and kills itself at the step that it is told: what it sends to the server, and each call and
// piece of its storage, are steps.
const {
  MONGODB_URI: uri = '',
  DB_NAME: dbName = '',
  FOLDER: folder = '',
  TASK: task = '',
  INTO: into = '',
  TO: to = '',
  S3: s3 = '',
} = process.env
const killAt = Number(process.env.KILL_AT ?? Number.POSITIVE_INFINITY)
let steps = 0

function step(): void {
  steps += 1
  if (steps === killAt) process.kill(process.pid, 'SIGKILL')
}

async function* stepping(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  for await (const chunk of chunks) {
    step()
    yield chunk
  }
}

const files = s3 === '' ? folderStorage(folder) : s3Storage(JSON.parse(s3))
const storage: BackupStorage = {
  name: files.name,
  async write(path, content) {
    step()
    await files.write(path, stepping(content))
    step()
  },
  read: (path) => stepping(files.read(path)),
  list: (prefix) => files.list(prefix),
  async remove(path) {
    step()
    await files.remove(path)
  },
}

const volt = await AutoVolt.open({ uri, dbName })
const write = Socket.prototype.write
Socket.prototype.write = function (this: Socket, ...given: Parameters<typeof write>) {
  step()
  return write.apply(this, given)
} as typeof write

const tasks: Readonly<Record<string, () => Promise<unknown>>> = {
  create: () => volt.backup.create({ storage }),
  new: () => volt.backup.restore({ storage, target: { into } }),
  replace: () => volt.backup.restore({ storage, target: { inPlace: 'replace' } }),
  merge: () => volt.backup.restore({ storage, target: { inPlace: 'merge', onConflict: 'replace' } }),
  slice: () => volt.backup.slice({ storage }),
  instant: () => volt.backup.restore({ storage, to, target: { into } }),
  'instant in place': () => volt.backup.restore({ storage, to, target: { inPlace: 'replace' } }),
  prune: () => volt.backup.prune({ storage, keep: { days: 0, last: 1 } }),
}
await tasks[task]?.()
tellParent({ type: 'done', steps })
await volt.close()
process.disconnect()
