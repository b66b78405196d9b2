import { Mongoose } from 'mongoose'
import { AutoVolt } from '../../../src/autovolt.js'
import { keyRing } from '../../support/builders.js'
import { onParentMessage, tellParent } from '../../support/parent.js'

const { MONGODB_URI = '', DB_NAME = '', FROM = '', SQLITE, KILL_AT = '' } = process.env

const connection = new Mongoose().createConnection()
await connection.openUri(MONGODB_URI, { dbName: DB_NAME, monitorCommands: true })
let commands = 0
connection.getClient().on('commandStarted', () => {
  commands += 1
  if (String(commands) === KILL_AT) process.kill(process.pid, 'SIGKILL')
})
const volt = AutoVolt.attach(connection, { keys: keyRing('first'), migrations: { lockDurationMs: 1_000 } })

let mostHeapBytes = 0
setInterval(() => {
  mostHeapBytes = Math.max(mostHeapBytes, process.memoryUsage().heapUsed)
}, 100).unref()

onParentMessage('run', async () => {
  try {
    const options = { from: FROM, timeZone: 'Asia/Kolkata', ...(SQLITE === undefined ? {} : { sqlite: SQLITE }) }
    const { adopted, durationMs } = await volt.migrations.adopt(options)
    tellParent({ type: 'done', commands, mostHeapBytes, durationMs, entries: adopted.ledgerEntries })
  } catch (error) {
    tellParent({ type: 'done', message: String(error) })
  }
})
tellParent({ type: 'ready' })
