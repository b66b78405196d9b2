import type { ChildProcess } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import { findMongod } from '../../src/testing/index.js'
import { cleanUpLater } from './clean-up.js'
import { eventually } from './eventually.js'
import { freePort } from './free-port.js'
import { endProcess, exitOf, keepOutput, spawnGuarded } from './guarded-process.js'

const setName = 'autovolt'

export interface MongodProcess extends AsyncDisposable {
  readonly uri: string
  readonly port: number
  readonly dbPath: string
  readonly pid: number
  /** Starts `mongod` again on the same port and data, and waits until it takes writes. */
  start(): Promise<void>
  /** Ends `mongod` in order; the data stay. */
  stop(): Promise<void>
  /** Ends `mongod` as a power cut would; the data stay. */
  kill(): Promise<void>
  /** Lets `mongod` hang: its connections stay open and nothing is answered from when this is done. */
  pause(): Promise<void>
  resume(): void
}

export interface MongodProcessOptions {
  readonly args?: readonly string[]
  /** Added to connection strings, such as `tls=true`. */
  readonly uriOptions?: string
}

/** A replica set of one `mongod`, for tests that kill the database. Killed, and its data removed, at the end of the test. */
export async function startMongodProcess({ args = [], uriOptions }: MongodProcessOptions = {}): Promise<MongodProcess> {
  const binary = await findMongod()
  const port = await freePort()
  const dbPath = await mkdtemp(join(tmpdir(), `autovolt-mongod-${process.pid}-`))
  const fixed = ['--port', String(port), '--dbpath', dbPath, '--bind_ip', '127.0.0.1', '--replSet', setName]
  const more = uriOptions === undefined ? '' : `&${uriOptions}`
  let mongod: ChildProcess

  const start = async () => {
    mongod = spawnGuarded(binary, [...fixed, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
    const output = keepOutput(mongod)
    await Promise.race([
      takesWrites(port, more),
      exitOf(mongod).then(({ code, signal }) => {
        throw new Error(`mongod ended (code ${code}, signal ${signal}) before it took writes:\n${output()}`)
      }),
    ])
  }
  const remove = async () => {
    // A process that hangs does not hear anything but SIGKILL.
    await endProcess(mongod, 'SIGKILL')
    await rm(dbPath, { recursive: true, force: true })
  }
  cleanUpLater(remove)
  await start()

  return {
    uri: `mongodb://127.0.0.1:${port}/?replicaSet=${setName}${more}`,
    port,
    dbPath,
    get pid() {
      return mongod.pid ?? 0
    },
    start,
    stop: async () => {
      await endProcess(mongod, 'SIGTERM', 30_000)
    },
    kill: async () => {
      await endProcess(mongod, 'SIGKILL')
    },
    pause: async () => {
      mongod.kill('SIGSTOP')
      await eventually('mongod hangs', () => isStopped(Number(mongod.pid)))
    },
    resume: () => {
      mongod.kill('SIGCONT')
    },
    [Symbol.asyncDispose]: remove,
  }
}

/** Each thread of a process takes the signal by itself, and may answer until it does. */
async function isStopped(pid: number): Promise<boolean> {
  const threads = await readdir(`/proc/${pid}/task`)
  const states = threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8'))
  return (await Promise.all(states)).every((stat) => /\) T /.test(stat))
}

async function takesWrites(port: number, uriOptions: string): Promise<void> {
  await using client = await connected(`mongodb://127.0.0.1:${port}/?directConnection=true${uriOptions}`)
  const admin = client.db('admin')
  const hello = await admin.command({ hello: 1 })
  if (hello.isreplicaset === true) {
    const members = [{ _id: 0, host: `127.0.0.1:${port}` }]
    await admin.command({ replSetInitiate: { _id: setName, members } })
  }
  const isPrimary = async () => (await admin.command({ hello: 1 })).isWritablePrimary === true
  await eventually('mongod takes writes', isPrimary, { timeoutMs: 120_000 })
}

/** Each attempt has a client of its own: one whose first connection fails stays closed. */
function connected(uri: string): Promise<MongoClient> {
  const connect = async () => {
    const client = new MongoClient(uri, { serverSelectionTimeoutMS: 5_000 })
    try {
      return await client.connect()
    } catch (error) {
      await client.close()
      throw error
    }
  }
  return eventually('mongod answers', connect, { timeoutMs: 120_000 })
}
