import { execFile } from 'node:child_process'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { createGzip } from 'node:zlib'
import type { AutoVolt } from '@autovolt/data'
import { folderStorage } from '@autovolt/data/backup'
import { alternate, type GroupContext, type Row, ratioRow, secondsOf, valueRow } from '../harness.js'
import { readToDisk } from './raw-read.js'

const run = promisify(execFile)

/** Dumps beside a raw read to disk, and beside gzip by one thread; then how fast a backup is verified. */
export async function benchDump(volt: AutoVolt, folder: string, { rounds, say }: GroupContext): Promise<Row[]> {
  say('dump: plain beside the raw command, gzip beside one thread at level 6')
  const raw = join(folder, 'raw')
  const into = async (compression: 'none' | 'gzip') => {
    await rm(join(folder, 'backups'), { recursive: true, force: true })
    return secondsOf(() => volt.backup.create({ storage: folderStorage(join(folder, 'backups')), compression }))
  }
  const emptied = async () => {
    await rm(raw, { recursive: true, force: true })
    await mkdir(raw)
  }
  const plain = await alternate(
    rounds,
    () => into('none'),
    async () => {
      await emptied()
      return secondsOf(() => readToDisk(volt.database.native, raw))
    },
  )
  const compressed = await alternate(
    rounds,
    () => into('gzip'),
    () => secondsOf(() => compressAll(raw)),
  )
  return [
    ratioRow('backup.dump-plain', 's', plain, { atMost: 1.1 }),
    ratioRow('backup.dump-gzip', 's', compressed, { atMost: 0.5 }),
    ...(await besideMongodump(volt, folder, rounds, into)),
    await verification(volt, folder, rounds),
  ]
}

/** Where mongodump is on the PATH it is a second baseline. */
async function besideMongodump(
  volt: AutoVolt,
  folder: string,
  rounds: number,
  into: (compression: 'none' | 'gzip') => Promise<number>,
): Promise<Row[]> {
  const isThere = await run('mongodump', ['--version']).then(
    () => true,
    () => false,
  )
  if (!isThere) return []
  const { host, port, name } = volt.database.connection
  const dump = (...options: readonly string[]) =>
    secondsOf(() =>
      run('mongodump', [
        '--quiet',
        '--host',
        `${host}:${port}`,
        '--db',
        name,
        '--out',
        join(folder, 'dumped'),
        ...options,
      ]),
    )
  const plain = await alternate(
    rounds,
    () => into('none'),
    () => dump(),
  )
  const compressed = await alternate(
    rounds,
    () => into('gzip'),
    () => dump('--gzip'),
  )
  return [
    ratioRow('backup.dump-plain-mongodump', 's', plain, { atMost: 1.1 }),
    ratioRow('backup.dump-gzip-mongodump', 's', compressed, { atMost: 1.1 }),
  ]
}

async function compressAll(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    if (!name.endsWith('.gz'))
      await pipeline(createReadStream(path), createGzip({ level: 6 }), createWriteStream(`${path}.gz`))
  }
}

async function verification(volt: AutoVolt, folder: string, rounds: number): Promise<Row> {
  const storage = folderStorage(join(folder, 'verified'))
  const { bytes } = await volt.backup.create({ storage, compression: 'none' })
  const speed = async () => bytes / 1e6 / (await secondsOf(() => volt.backup.verify({ storage })))
  const hashing = async () => bytes / 1e6 / (await secondsOf(() => readAll(join(folder, 'verified'))))
  return valueRow('backup.verify', 'MB/s', await alternate(rounds, speed, hashing), { atLeast: 400 })
}

/** The baseline: every byte is read, and nothing is done with it. */
async function readAll(folder: string): Promise<void> {
  for (const name of await readdir(folder, { recursive: true })) {
    const path = join(folder, name)
    if (!(await stat(path)).isFile()) continue
    for await (const _ of createReadStream(path, { highWaterMark: 1 << 20 }));
  }
}
