import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'

export interface ProcessExit {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** Starts a process that cannot outlive this one, even where this one is killed with SIGKILL. */
export function spawnGuarded(command: string, args: readonly string[], options: SpawnOptions = {}): ChildProcess {
  const child = spawn(command, args, options)
  if (child.pid !== undefined) guard(child, child.pid)
  return child
}

function guard(child: ChildProcess, processId: number): void {
  // The watcher reads from a pipe whose other end only this process has: it reads on until this process is gone.
  const watcher = spawn('sh', ['-c', 'read -r _; kill -9 "$0" 2>/dev/null', String(processId)], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  watcher.unref()
  if (watcher.stdin !== null && 'unref' in watcher.stdin && typeof watcher.stdin.unref === 'function') {
    watcher.stdin.unref()
  }
  child.once('exit', () => watcher.kill('SIGKILL'))
}

/** How the process ended; waits for it where it has not. */
export function exitOf(child: ChildProcess): Promise<ProcessExit> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return Promise.resolve({ code: child.exitCode, signal: child.signalCode })
  }
  return new Promise((resolve, reject) => {
    child.once('exit', (code, signal) => resolve({ code, signal }))
    child.once('error', reject)
  })
}

/** Sends the signal and waits for the end. A process that does not heed it within the time is killed with SIGKILL. */
export async function endProcess(
  child: ChildProcess,
  signal: NodeJS.Signals = 'SIGTERM',
  patienceMs = 10_000,
): Promise<ProcessExit> {
  const exit = exitOf(child)
  child.kill(signal)
  const impatient = setTimeout(() => child.kill('SIGKILL'), patienceMs)
  try {
    return await exit
  } finally {
    clearTimeout(impatient)
  }
}

/** Keeps the last of what the process writes, for messages about what went wrong. */
export function keepOutput(child: ChildProcess, keptCharacters = 20_000): () => string {
  let output = ''
  const add = (text: string) => {
    output = (output + text).slice(-keptCharacters)
  }
  child.stdout?.setEncoding('utf8').on('data', add)
  child.stderr?.setEncoding('utf8').on('data', add)
  return () => output
}
