import type { ChildProcess } from 'node:child_process'
import { access, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cleanUpLater } from './clean-up.js'
import { eventually } from './eventually.js'
import { freePort } from './free-port.js'
import { endProcess, exitOf, keepOutput, spawnGuarded } from './guarded-process.js'

export interface MosquittoOptions {
  /** How many QoS 1 messages may be unacknowledged; 0 is unlimited. Mosquitto's own default is 20. */
  readonly maxInflightMessages?: number
  /** How many messages wait for a session; 0 is unlimited. Mosquitto's own default is 1,000. */
  readonly maxQueuedMessages?: number
  readonly maxQueuedBytes?: number
  /** More lines of `mosquitto.conf`, such as `acl_file` and a path. */
  readonly config?: readonly string[]
}

export interface Mosquitto extends AsyncDisposable {
  /** Such as `mqtt://127.0.0.1:41883`. */
  readonly url: string
  readonly port: number
  readonly pid: number
  /** What mosquitto logged since it was last started. */
  readonly log: string
  /** Starts it again on the same port, with what it had stored. */
  start(): Promise<void>
  /** Ends it in order, so that sessions and queued messages are stored. */
  stop(): Promise<void>
  restart(): Promise<void>
  /** Ends it as a power cut would: what was not yet stored is gone. */
  kill(): Promise<void>
}

/** A mosquitto on a free port with its storage in a temporary folder. Ended and removed at the end of the test. */
export async function startMosquitto(options: MosquittoOptions = {}): Promise<Mosquitto> {
  const binary = await findMosquitto()
  const port = await freePort()
  const folder = await mkdtemp(join(tmpdir(), 'autovolt-mosquitto-'))
  const configFile = join(folder, 'mosquitto.conf')
  await writeFile(configFile, configOf(port, folder, options))
  let broker: ChildProcess
  let output = () => ''

  const start = async () => {
    broker = spawnGuarded(binary, ['-c', configFile], { stdio: ['ignore', 'pipe', 'pipe'] })
    output = keepOutput(broker)
    await Promise.race([
      eventually('mosquitto accepts connections', () => accepts(port)),
      exitOf(broker).then(({ code, signal }) => {
        throw new Error(`mosquitto ended (code ${code}, signal ${signal}) before it listened:\n${output()}`)
      }),
    ])
  }
  const stop = async () => {
    await endProcess(broker)
  }
  const remove = async () => {
    await endProcess(broker, 'SIGKILL')
    await rm(folder, { recursive: true, force: true })
  }
  cleanUpLater(remove)
  await start()

  return {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    get pid() {
      return broker.pid ?? 0
    },
    get log() {
      return output()
    },
    start,
    stop,
    restart: async () => {
      await stop()
      await start()
    },
    kill: async () => {
      await endProcess(broker, 'SIGKILL')
    },
    [Symbol.asyncDispose]: remove,
  }
}

function configOf(port: number, folder: string, options: MosquittoOptions): string {
  const { maxInflightMessages = 1_000, maxQueuedMessages = 0, maxQueuedBytes = 0, config = [] } = options
  return [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'persistence true',
    `persistence_location ${folder}/`,
    `max_inflight_messages ${maxInflightMessages}`,
    `max_queued_messages ${maxQueuedMessages}`,
    `max_queued_bytes ${maxQueuedBytes}`,
    'set_tcp_nodelay true',
    'log_dest stderr',
    // Started by root it would become another user, who may not write into the temporary folder.
    ...(process.getuid?.() === 0 ? ['user root'] : []),
    ...config,
    '',
  ].join('\n')
}

async function findMosquitto(): Promise<string> {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin']
  for (const folder of folders) {
    const path = join(folder, 'mosquitto')
    if (await isThere(path)) return path
  }
  throw new Error('mosquitto is not installed; on Debian: apt-get install mosquitto')
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
