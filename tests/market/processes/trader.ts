// Four placers that place and cancel until they are killed or done, and a matcher beside them.
import { AutoVolt } from '@autovolt/data'
import { onParentMessage, tellParent } from '../../support/parent.js'

const { MONGODB_URI = '', DB_NAME = '', NOW = '', AREA = '', USERS = '', NAME = '', ORDERS = '0' } = process.env
const startedMs = Date.now()
const volt = await AutoVolt.open({
  uri: MONGODB_URI,
  dbName: DB_NAME,
  clock: { now: () => new Date(Date.parse(NOW) + Date.now() - startedMs) },
})
const users = USERS.split(',')

async function placer(worker: number): Promise<void> {
  for (let at = 0; at < Number(ORDERS); at += 1) {
    const user = users[(at * 7 + worker) % users.length] ?? ''
    const order = await volt.market.place({
      area: AREA,
      user,
      side: (at + worker) % 2 === 0 ? 'buy' : 'sell',
      energyKwh: `${1 + (at % 3)}.${at % 10}`,
      pricePerKwh: `0.${100 + ((at * 13 + worker) % 9)}`,
      availableFrom: new Date('2026-03-02T12:00:00Z'),
      availableUntil: new Date('2026-03-02T14:00:00Z'),
      key: `${NAME} ${worker} ${at}`,
    })
    if (at % 5 !== 4) continue
    await volt.market.cancel(order._id, user).catch((error: { code?: string }) => {
      if (error.code !== 'CONFLICT') throw error
    })
  }
}

await volt.health()
onParentMessage('go', () => {
  volt.market.start({ everyMs: 10 })
  void Promise.all([0, 1, 2, 3].map(placer)).then(
    () => tellParent({ type: 'placed' }),
    (error: unknown) => tellParent({ type: 'failed', reason: String(error) }),
  )
})
tellParent({ type: 'ready' })
