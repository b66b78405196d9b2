// Applies the rules again and again until it is killed, or nothing is left to be looked at.
import { setTimeout as sleep } from 'node:timers/promises'
import { AutoVolt } from '@autovolt/data'
import { tellParent } from '../../support/parent.js'

const { MONGODB_URI = '', DB_NAME = '', NOW = '' } = process.env
const volt = await AutoVolt.open({ uri: MONGODB_URI, dbName: DB_NAME, clock: { now: () => new Date(NOW) } })
tellParent({ type: 'ready' })
for (;;) {
  const { isDone, readings } = await volt.alertRules.run({ lateMs: 0 })
  if (isDone && readings === 0) break
  if (!isDone) await sleep(50)
}
tellParent({ type: 'done' })
