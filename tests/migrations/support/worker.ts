import { Mongoose } from 'mongoose'
import { AutoVolt } from '../../../src/autovolt.js'
import type { Migration, RunEvent } from '../../../src/migrations/index.js'
import { onParentMessage, tellParent } from '../../support/parent.js'
import { exactSet } from './exact-set.js'

/** Commands that this process has sent, and at which of them it kills itself. */
interface Fate {
  readonly at: number
  readonly when: 'before' | 'after'
}

const {
  MONGODB_URI = '',
  DB_NAME = '',
  FATE = '',
  CLOCK_OFFSET_MS = '0',
  PAUSE_MS = '0',
  LOCK_MS = '1000',
} = process.env
const fate: Fate | undefined = FATE === '' ? undefined : JSON.parse(FATE)

const connection = new Mongoose().createConnection()
await connection.openUri(MONGODB_URI, { dbName: DB_NAME, monitorCommands: true })
const client = connection.getClient()
let isCounting = false
const quiet = new Set(['hello', 'endSessions'])
const counted = { before: 0, after: 0 }

function count(when: Fate['when'], commandName: string): void {
  if (!isCounting || quiet.has(commandName)) return
  counted[when] += 1
  if (fate?.when === when && counted[when] === fate.at) process.kill(process.pid, 'SIGKILL')
}

// A command is announced before it is sent.
client.on('commandStarted', ({ commandName }) => count('before', commandName))
client.on('commandSucceeded', ({ commandName }) => count('after', commandName))

/** So that there is time to stop a process within a backfill. */
const list = exactSet.map((migration) => slowed(migration, Number(PAUSE_MS)))
const clock = { now: () => new Date(Date.now() + Number(CLOCK_OFFSET_MS)) }
const volt = AutoVolt.attach(connection, { clock, migrations: { list, lockDurationMs: Number(LOCK_MS) } })

function slowed(migration: Migration, pauseMs: number): Migration {
  if (pauseMs === 0 || !Array.isArray(migration.up)) return migration
  return { ...migration, up: migration.up.map((step) => ('indexes' in step ? step : { ...step, pauseMs })) }
}

onParentMessage('run', async () => {
  isCounting = true
  try {
    const onEvent = (event: RunEvent) => tellParent({ type: event.type, event })
    const { applied } = await volt.migrations.ensure({ onEvent })
    tellParent({ type: 'done', applied })
  } catch (error) {
    const { code, message } = error as { code?: string; message: string }
    tellParent({ type: 'done', code, message })
  }
})
tellParent({ type: 'ready' })
