// Lets old logs go until there are none, or it is killed.
import { AutoVolt } from '../../src/autovolt.js'

const volt = await AutoVolt.open({ uri: String(process.env.MONGODB_URI), dbName: String(process.env.MONGODB_DB_NAME) })
const policy = {
  name: 'old logs',
  collection: 'device_logs',
  field: 'at',
  olderThanDays: 30,
  archiveTo: 'old_logs',
}
for (;;) {
  await volt.retention.run([policy]).catch((error: { code?: string }) => {
    if (error.code !== 'LEASE_LOST') throw error
  })
}
