import { once } from 'node:events'
import { mkdir, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import type { MongoMemoryReplSet, MongoMemoryServer } from 'mongodb-memory-server-core'
import { DatabaseError } from '../core/errors.js'
import type { Mongod } from './check-mongod.js'
import { createDataFolder, removeAbandonedDataFolders } from './data-folder.js'
import { locateMongod } from './find-mongod.js'
import { loadMemoryServer, type MemoryServer } from './memory-server.js'

const setName = 'autovolt'
const startAttempts = 5
const reportedErrors = 5
const host = '127.0.0.1'
/** A process that is killed would leave its socket in /tmp for good. */
const ownArgs = process.platform === 'win32' ? [] : ['--nounixsocket']

export interface ReplicaSetOptions {
  /**
   * How many `mongod` processes. Three take some seven seconds to elect a primary, one takes half a second.
   * @default 1
   */
  readonly members?: number | undefined
  /**
   * The port of the first member; the others take the ports that follow. Needed with `dbPath`, because the stored data
   * names the ports.
   * @default free ports
   */
  readonly port?: number | undefined
  /**
   * A folder that keeps the data when the set stops, so that it can be started again on them. It is made where it is
   * missing.
   * @default a temporary folder that goes when the set stops
   */
  readonly dbPath?: string | undefined
  /** More arguments for every `mongod`, such as `['--setParameter', 'notablescan=true']`. */
  readonly args?: readonly string[] | undefined
}

/** A running replica set. Its processes end with the process that started it, however that ends. */
export interface ReplicaSet extends AsyncDisposable {
  /** The connection string, without a database name. */
  readonly uri: string
  /**
   * Resolves if a `mongod` ends that nobody stopped, with its exit code or signal and the last errors that it logged.
   * Stays pending otherwise.
   */
  readonly failure: Promise<DatabaseError>
  /** Ends the processes and removes the data, unless they have a `dbPath`. May be called more than once. */
  stop(): Promise<void>
}

/**
 * Starts a real MongoDB replica set on this machine, for tests and demonstrations: transactions, change streams and
 * majority writes work as they do in production. The `mongod` is the one that `findMongod` finds.
 * Needs the optional peer `mongodb-memory-server-core`.
 *
 * Throws a `DatabaseError` with code `CONFIGURATION` where there is no `mongod`, the peer is missing or a port is taken.
 *
 * @example
 * await using replicaSet = await startReplicaSet()
 * const volt = await AutoVolt.open({ uri: replicaSet.uri, dbName: 'test' })
 */
export async function startReplicaSet(options: ReplicaSetOptions = {}): Promise<ReplicaSet> {
  checkOptions(options)
  const memoryServer = await loadMemoryServer()
  const mongod = await locateMongod()
  await refuseTakenPorts(options)
  await removeAbandonedDataFolders()
  const folder = options.dbPath ?? (await createDataFolder())
  for (let attempt = 1; ; attempt += 1) {
    const replicaSet = await layOut(memoryServer, mongod, folder, options)
    const end = () => endReplicaSet(replicaSet, folder, options)
    try {
      await replicaSet.start()
      return handleOf(replicaSet, end)
    } catch (cause) {
      await replicaSet.stop({ doCleanup: false })
      if (attempt < startAttempts && isConfiguring(cause)) continue
      await end()
      throw new DatabaseError('DATABASE', `The replica set did not start: ${messageOf(cause)}`, { cause })
    }
  }
}

async function endReplicaSet(
  replicaSet: MongoMemoryReplSet,
  folder: string,
  { dbPath }: ReplicaSetOptions,
): Promise<void> {
  if (dbPath === undefined) await Promise.all(replicaSet.servers.map(kill))
  await replicaSet.stop({ doCleanup: false })
  if (dbPath === undefined) await rm(folder, { recursive: true, force: true })
}

/** A member that takes up its stored configuration again refuses to be configured until it has; a slow one is met at that. */
function isConfiguring(error: unknown): boolean {
  return error instanceof Error && 'codeName' in error && error.codeName === 'ConfigurationInProgress'
}

async function layOut(
  { MongoMemoryReplSet, MongoMemoryServer }: MemoryServer,
  mongod: Mongod,
  folder: string,
  { members = 1, port, args = [] }: ReplicaSetOptions,
): Promise<MongoMemoryReplSet> {
  const binary = { systemBinary: mongod.path, version: mongod.version }
  const storageEngine = 'wiredTiger' as const
  const common = { replSet: setName, storageEngine, ip: host, args: [...ownArgs, ...args] }
  const replicaSet = new MongoMemoryReplSet({ binary, replSet: { name: setName, storageEngine } })
  // The members are handed in rather than counted, because only then does each keep exactly the port it is given.
  for (let index = 0; index < members; index += 1) {
    const dbPath = members === 1 ? folder : join(folder, `member-${index}`)
    await mkdir(dbPath, { recursive: true })
    const own = port === undefined ? { dbPath } : { dbPath, port: port + index }
    // In a process group of its own: Ctrl-C in a terminal would otherwise end it before those who still write to it.
    replicaSet.servers.push(
      new MongoMemoryServer({ binary, instance: { ...common, ...own }, spawn: { detached: true } }),
    )
  }
  return replicaSet
}

function handleOf(replicaSet: MongoMemoryReplSet, end: () => Promise<void>): ReplicaSet {
  let ended: Promise<void> | undefined
  const stop = () => {
    ended ??= end()
    return ended
  }
  const failure = new Promise<DatabaseError>((resolve) => {
    for (const server of replicaSet.servers) {
      void failureOf(server).then((error) => {
        if (ended === undefined) resolve(error)
      })
    }
  })
  return { uri: replicaSet.getUri(), failure, stop, [Symbol.asyncDispose]: stop }
}

/** Resolves when the process ends. Its log has a line of JSON per event; `"s":"F"` and `"s":"E"` are fatal and error. */
async function failureOf({ instanceInfo }: MongoMemoryServer): Promise<DatabaseError> {
  const mongod = instanceInfo?.instance.mongodProcess
  if (mongod === undefined) return new DatabaseError('DATABASE', 'A mongod did not start')
  let errors: string[] = []
  mongod.stdout?.on('data', (output) => {
    const lines = String(output)
      .split('\n')
      .filter((line) => /"s":"[FE]"/.test(line))
    errors = [...errors, ...lines].slice(-reportedErrors)
  })
  const [code, signal] = await once(mongod, 'close')
  const how = signal === null ? `with exit code ${code}` : `by ${signal}`
  return new DatabaseError('DATABASE', [`A mongod of the replica set ended ${how}`, ...errors].join('\n'))
}

/** An orderly end takes a second and more, for data that are thrown away. */
async function kill(server: MongoMemoryServer): Promise<void> {
  const mongod = server.instanceInfo?.instance.mongodProcess
  if (mongod === undefined || mongod.exitCode !== null || mongod.signalCode !== null) return
  const exit = once(mongod, 'exit')
  mongod.kill('SIGKILL')
  await exit
}

function checkOptions({ members = 1, port, dbPath }: ReplicaSetOptions): void {
  if (!Number.isInteger(members) || members < 1 || members > 7) {
    throw new DatabaseError('CONFIGURATION', `members must be a whole number from 1 to 7, not ${members}`)
  }
  if (dbPath !== undefined && port === undefined) {
    throw new DatabaseError('CONFIGURATION', 'dbPath needs port: the stored data name the ports of the members')
  }
}

async function refuseTakenPorts({ members = 1, port }: ReplicaSetOptions): Promise<void> {
  if (port === undefined) return
  for (let index = 0; index < members; index += 1) await refuseTakenPort(port + index)
}

async function refuseTakenPort(port: number): Promise<void> {
  const server = createServer()
  try {
    server.listen(port, host)
    await once(server, 'listening')
  } catch (cause) {
    throw new DatabaseError('CONFIGURATION', `Port ${port} cannot be used: ${messageOf(cause)}`, { cause })
  } finally {
    server.close()
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
