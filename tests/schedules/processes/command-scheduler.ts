// Does what is due as a host does: due actions become commands to devices.
import { AutoVolt } from '@autovolt/data'
import { onParentMessage, tellParent } from '../../support/parent.js'

const { MONGODB_URI = '', DB_NAME = '', NOW = '' } = process.env
const startedMs = Date.now()
const volt = await AutoVolt.open({
  uri: MONGODB_URI,
  dbName: DB_NAME,
  clock: { now: () => new Date(Date.parse(NOW) + Date.now() - startedMs) },
})
await volt.health()
onParentMessage('go', () => {
  volt.schedules.start({ everyMs: 100 })
})
tellParent({ type: 'ready' })
