// Runs one of the two: `npx tsx examples/services/main.ts`, or with `express` as its argument.

import { once } from 'node:events'
import { createServer } from 'node:http'
import { AutoVolt } from '@autovolt/data'
import { configurationOf } from './configuration.js'
import { expressService } from './express-service.js'
import { fastifyService } from './fastify-service.js'

const { MONGODB_URI, MONGODB_DB_NAME, AUTOVOLT_KEY, PORT } = configurationOf(process.env)
const volt = await AutoVolt.open({
  uri: MONGODB_URI,
  dbName: MONGODB_DB_NAME,
  keys: { active: 'first', keys: { first: AUTOVOLT_KEY } },
})
await volt.setup()
volt.start()

const ending = new AbortController()
const server = process.argv[2] === 'express' ? createServer(expressService(volt, ending.signal)) : await fastifyServer()
server.listen(PORT, '127.0.0.1')
await once(server, 'listening')
console.log(`listening on port ${(server.address() as { port: number }).port}`)

async function fastifyServer() {
  const app = fastifyService(volt, ending.signal)
  await app.ready()
  return app.server
}

// No new requests, then the open streams, then what is under way in the database.
async function stop() {
  server.close()
  ending.abort()
  server.closeIdleConnections()
  await once(server, 'close')
  await volt.close()
}
process.once('SIGTERM', () => void stop())
process.once('SIGINT', () => void stop())
