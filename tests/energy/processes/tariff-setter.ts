import { AutoVolt } from '../../../src/autovolt.js'
import { DatabaseError } from '../../../src/core/errors.js'
import { onParentMessage, tellParent } from '../../support/parent.js'

// Sets two versions of a tariff in its currency, at starts of its own, and tells how each went.
const [currency = '', number = '0'] = process.argv.slice(2)
const volt = await AutoVolt.open({ uri: process.env.MONGODB_URI ?? '', dbName: process.env.DB_NAME ?? '' })

onParentMessage('set', async ({ tariff }) => {
  const starts = [0, 1].map((month) => new Date(Date.UTC(2026, month, Number(number) + 1)))
  const codes = await Promise.all(
    starts.map((startsAt) =>
      volt.tariffs.set({ tariff: String(tariff), startsAt, currency, pricePerKwh: 1 }).then(
        () => 'set',
        (error: unknown) => (error instanceof DatabaseError ? error.code : String(error)),
      ),
    ),
  )
  tellParent({ type: 'done', codes })
})
tellParent({ type: 'ready' })
