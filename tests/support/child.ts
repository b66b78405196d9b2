import { fileURLToPath } from 'node:url'
import { bundled } from './bundled.js'
import { cleanUpLater } from './clean-up.js'
import { endProcess, exitOf, keepOutput, type ProcessExit, spawnGuarded } from './guarded-process.js'
import { type ChildMessage, Inbox } from './inbox.js'

export interface ChildOptions {
  readonly args?: readonly string[]
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>
  /** Runs the file where it is, for a program that finds other files by its own place. @default false */
  readonly asItIs?: boolean
}

export interface Child extends AsyncDisposable {
  readonly pid: number
  /** Every message so far, in order. */
  readonly messages: readonly ChildMessage[]
  /** The last of what it wrote to its standard output and error. */
  readonly output: string
  /** How it ended, once it has. */
  readonly exit: Promise<ProcessExit>
  send(message: ChildMessage): void
  /** The first message of this type that was not handed out before; waits for it, and throws where the child ends first. */
  next<T extends ChildMessage = ChildMessage>(type: T['type'], timeoutMs?: number): Promise<T>
  /** Sends the signal, SIGKILL unless told, and waits for the end. */
  kill(signal?: NodeJS.Signals): Promise<ProcessExit>
}

/**
 * Runs a TypeScript file in a process of its own, which does not outlive the test. The file talks to the test with
 * `tests/support/parent.ts`.
 * @example
 * const child = startChild(new URL('./ingester.ts', import.meta.url), { env: { MONGODB_URI: uri } })
 * await child.next('connected')
 * await child.kill()
 */
export function startChild(file: URL, { args = [], env = {}, asItIs = false }: ChildOptions = {}): Child {
  const program = asItIs ? ['--import', 'tsx', fileURLToPath(file)] : [fileURLToPath(bundled(file))]
  const child = spawnGuarded(process.execPath, ['--enable-source-maps', ...program, ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    serialization: 'json',
  })
  const output = keepOutput(child)
  const inbox = new Inbox()
  child.on('message', (message: ChildMessage) => inbox.put(message))
  // Unlike 'exit', 'close' comes after the last message and the last output.
  child.once('close', (code, signal) => {
    inbox.close(`the child ended with code ${code}, signal ${signal}, having written:\n${output()}\n`)
  })
  const kill = (signal: NodeJS.Signals = 'SIGKILL') => endProcess(child, signal)
  const end = async () => {
    await kill()
  }
  cleanUpLater(end)

  return {
    pid: child.pid ?? 0,
    messages: inbox.messages,
    get output() {
      return output()
    },
    exit: exitOf(child),
    send: (message) => {
      child.send(message)
    },
    // Which fields a message has is between the test and the file that it starts.
    next: async <T extends ChildMessage>(type: T['type'], timeoutMs = 150_000) =>
      (await inbox.take(type, timeoutMs)) as T,
    kill,
    [Symbol.asyncDispose]: end,
  }
}
