// An ingester in a process of its own, to be killed.
import { AutoVolt } from '@autovolt/data'
import { startIngestion } from '@autovolt/data/mqtt'
import { onParentMessage, tellParent } from '../../support/parent.js'

const { MONGODB_URI: uri = '', DB_NAME: dbName = '', MQTT_URL: url = '', EARLIEST = '2020-01-01' } = process.env
const { INSTANCE, SHARE, KEEPALIVE = '30' } = process.env
const keys = { active: 'test', keys: { test: Buffer.alloc(32, 5).toString('base64') } }

const tell = (fields: object, message: string) => console.error(message, JSON.stringify(fields))
const logger = { debug: () => undefined, info: tell, warn: tell, error: tell }
const volt = await AutoVolt.open({ uri, dbName, keys, logger })
const ingestion = await startIngestion(volt, {
  url,
  client: { keepalive: Number(KEEPALIVE), reconnectPeriod: 200 },
  earliestCredibleTime: new Date(EARLIEST),
  ...(INSTANCE === undefined ? {} : { instance: INSTANCE }),
  ...(SHARE === undefined ? {} : { sharedSubscription: SHARE }),
})
const report = setInterval(() => tellParent({ type: 'status', status: ingestion.status() }), 100)
tellParent({ type: 'started' })

onParentMessage('stop', async () => {
  clearInterval(report)
  await ingestion.close()
  await volt.close()
  tellParent({ type: 'stopped' })
  process.exit(0)
})
