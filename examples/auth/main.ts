// Runs the service on a database of its own; what it would mail is printed.
import { AutoVolt } from '@autovolt/data'
import { authService } from './auth-service.js'

const { MONGODB_URI = 'mongodb://localhost:27017/?replicaSet=rs0', PORT = '3001' } = process.env
const volt = await AutoVolt.open({ uri: MONGODB_URI, dbName: 'autovolt_auth_example', closeOnSignals: true })
await volt.setup()
const app = authService(volt, async (to, text) => console.log(`To ${to}: ${text}`))
console.log(await app.listen({ host: '127.0.0.1', port: Number(PORT) }))
