#!/usr/bin/env node
import { run } from './run.js'

const stopped = new AbortController()
const received: NodeJS.Signals[] = []
const signals = ['SIGINT', 'SIGTERM'] as const
// The first one stops the command where it can go on later; a second one ends the process.
for (const signal of signals) {
  process.once(signal, () => {
    received.push(signal)
    process.stderr.write(`${signal}: stopping; once more ends the process at once\n`)
    stopped.abort(new Error(`Stopped by ${signal}`))
  })
}

const { stdout, stderr, env } = process
process.exitCode = await run(process.argv.slice(2), { out: stdout, errors: stderr, env, signal: stopped.signal })
// What waits for a pipe that nobody writes to would keep the process for ever: the signal is then left to the system.
const [again] = received
if (again !== undefined) setTimeout(() => process.kill(process.pid, again), 1000).unref()
