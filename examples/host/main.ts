import { startHostApp } from './host-app.js'
import { Resources } from './resources.js'
import { readSettings } from './settings.js'
import { Terminal } from './terminal.js'

const terminal = new Terminal()
const resources = new Resources((message) => terminal.complain(message))
const ending = new AbortController()

/** Ctrl-C, again and again if one likes: the first one counts. */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => ending.abort())

/** A signal to npm ends the shell that stands between npm and this process, and goes no further. */
const parent = process.ppid
const isStartedByNpm = process.env.npm_lifecycle_event !== undefined
const orphaned = setInterval(() => {
  if (isStartedByNpm && process.ppid !== parent) ending.abort()
}, 500)
orphaned.unref()

/** Nobody should have to clean up after an error that nobody thought of. */
process.on('uncaughtException', (error) => fail(error))

try {
  terminal.say('\nAutoVolt host app\n')
  await startHostApp(readSettings(process.env), terminal, resources, ending.signal)
  terminal.say('\nCtrl-C ends it.\n')
  await aborted(ending.signal)
  await end()
} catch (error) {
  if (ending.signal.aborted) await end()
  else await fail(error)
}

/** As asked: this is success. */
async function end(): Promise<void> {
  terminal.say('\nEnding ...')
  await close()
  terminal.say('Everything has ended.')
  process.exit(0)
}

async function fail(error: unknown): Promise<void> {
  terminal.complain(`\nThe app cannot go on: ${error instanceof Error ? error.message : String(error)}`)
  await close()
  process.exit(1)
}

async function close(): Promise<void> {
  terminal.quieten()
  await resources.close()
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
