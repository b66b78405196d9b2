// Appends numbered calls to chains that other processes append to as well, to be killed and started again.
import { AutoVolt } from '@autovolt/data'
import { tellParent } from '../../support/parent.js'
import { eventsOfCall } from './appended-calls.js'

const { MONGODB_URI: uri = '', DB_NAME: dbName = '' } = process.env
const [writer = 0, first = 0, end = 0] = process.argv.slice(2).map(Number)
const callsAtOnce = 4

const volt = await AutoVolt.open({ uri, dbName })
let next = first
tellParent({ type: 'started' })

async function appendInTurn(): Promise<void> {
  for (let call = next++; call < end; call = next++) {
    const appended = await volt.ledger.append(eventsOfCall(writer, call))
    tellParent({ type: 'stored', call, hashes: appended.map(({ entry }) => entry.hash.toString('hex')) })
  }
}

await Promise.all(Array.from({ length: callsAtOnce }, appendInTurn))
await volt.close()
tellParent({ type: 'finished' })
process.disconnect()
