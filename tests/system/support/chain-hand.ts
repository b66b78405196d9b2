// Appends to one chain that others append to as well: without a pause, or slowly, because each of its readings is late.
import { AutoVolt, type LedgerEventInput } from '@autovolt/data'
import { onParentMessage, tellParent } from '../../support/parent.js'

const { MONGODB_URI: uri = '', DB_NAME: dbName = '', SWITCH_ID: switchId = '' } = process.env
const [name = '', pace = 'greedy'] = process.argv.slice(2)
const startMs = Date.parse('2026-03-01T10:00:00Z')
const perAppend = 20

const volt = await AutoVolt.open({ uri, dbName })
let isOver = false
onParentMessage('end', () => {
  isOver = true
})

/** The newest at the end for one that is greedy; for one that is slow somewhere among those of all the others, in no order. */
function eventOf(number: number): LedgerEventInput {
  const seconds = pace === 'greedy' ? number : (number * 7919) % 10_007
  const timestamp = new Date(startMs + seconds * 1000)
  return {
    switchId,
    deviceId: '69a400000000000000000100',
    classroom: '69a400000000000000000101',
    timestamp,
    receivedAt: timestamp,
    eventType: 'power_reading',
    powerState: true,
    powerRating: 60,
    energySource: 'power',
    reading: { powerW: 60 },
    gapLimitMs: 1_000_000,
    ratePerKwh: 8,
    flags: [],
    metadata: { source: 'mqtt' },
    idempotencyKey: `${name} ${number}`,
  }
}

tellParent({ type: 'started' })
for (let number = 0; !isOver; number += perAppend) {
  await volt.ledger.append(Array.from({ length: perAppend }, (_, at) => eventOf(number + at)))
  tellParent({ type: 'appended', number })
}
await volt.close()
tellParent({ type: 'finished' })
process.disconnect()
