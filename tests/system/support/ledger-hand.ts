// Appends to chains that others append to as well, and makes checkpoints, on a machine whose clock is hours off.
import { setTimeout as sleep } from 'node:timers/promises'
import { AutoVolt, type LedgerEventInput } from '@autovolt/data'
import { onParentMessage, tellParent } from '../../support/parent.js'

const { MONGODB_URI: uri = '', DB_NAME: dbName = '', SIGNER_KEY: signerKey = '' } = process.env
const [name = '', task = '', offsetHours = '0'] = process.argv.slice(2)
const chainCount = 6

// What the machine's clock says, ObjectIds take from here.
const realNow = Date.now
Date.now = () => realNow() + Number(offsetHours) * 3_600_000

let isFreezing = false
const clock = {
  now(): Date {
    // Right before a checkpoint is stored: the time that it is signed at is asked for last. Others ask the clock too.
    if (isFreezing && new Error().stack?.includes('checkpointer')) {
      isFreezing = false
      process.kill(process.pid, 'SIGSTOP')
    }
    return new Date(Date.now())
  },
}

const volt = await AutoVolt.open({ uri, dbName, clock, ledgerLog: { signerKeys: [signerKey] } })
let isOver = false
onParentMessage('end', () => {
  isOver = true
})

async function appendOn(): Promise<void> {
  for (let round = 0; !isOver; round += 1) {
    await volt.ledger.append(Array.from({ length: 1 + (round % 40) }, (_, at) => eventOf(round, at)))
    await sleep(Math.random() * 20)
  }
}

async function checkpointOn(): Promise<void> {
  while (!isOver) {
    const { added, checkpoint } = await volt.ledger.checkpoint()
    if (added > 0) tellParent({ type: 'made', added, size: checkpoint?.size })
    await sleep(Math.random() * 10)
  }
}

async function freezeOnce(): Promise<void> {
  isFreezing = true
  try {
    await volt.ledger.checkpoint()
    tellParent({ type: 'woken' })
  } catch (error) {
    tellParent({ type: 'woken', code: (error as { code?: string }).code })
  }
}

function eventOf(round: number, at: number): LedgerEventInput {
  const timestamp = new Date(Date.now())
  return {
    switchId: `69a4000000000000000000c${(round + at) % chainCount}`,
    deviceId: '69a400000000000000000100',
    classroom: '69a400000000000000000101',
    timestamp,
    receivedAt: timestamp,
    eventType: 'power_reading',
    powerState: true,
    powerRating: 60,
    energySource: 'power',
    reading: { powerW: 60 + at },
    gapLimitMs: 1_000_000,
    ratePerKwh: 8,
    flags: [],
    metadata: { source: 'mqtt' },
    idempotencyKey: `${name} ${round} ${at}`,
  }
}

const tasks: Readonly<Record<string, () => Promise<void>>> = {
  append: appendOn,
  checkpoint: checkpointOn,
  freeze: freezeOnce,
}
tellParent({ type: 'started' })
await tasks[task]?.()
await volt.close()
tellParent({ type: 'finished' })
process.disconnect()
