// Looks for slow queries for a minute.
import { AutoVolt } from '../../src/autovolt.js'

const volt = await AutoVolt.open({ uri: String(process.env.MONGODB_URI), dbName: 'school' })
await volt.operations.slowQueries({ overMs: 7, forMs: 60_000 })
