import { beforeAll, expect, it } from 'vitest'
import { startWebServer, type WebServer } from '../../examples/host/http/server.js'
import { Visitors } from '../../examples/host/visitors.js'
import { cleanUpLater } from '../support/clean-up.js'
import { testDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()
let server: WebServer

beforeAll(async () => {
  const volt = await openVolt(database)
  const visitors = new Visitors(volt)
  server = await startWebServer({
    address: '127.0.0.1',
    port: 39_300,
    // As the app's own route has it: what `setCookie` returns is what is answered.
    routes: [
      {
        method: 'POST',
        path: '/api/sign-out',
        isFor: 'everybody',
        handle: async (_, { request, setCookie }) => setCookie(await visitors.signOut(request)),
      },
    ],
    visitors,
    firmware: () => undefined,
    known: () => [],
  })
  cleanUpLater(() => server.close())
})

it('answers who signs out, with a cookie that ends the session on the page', async () => {
  const response = await fetch(`${server.url}/api/sign-out`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  })
  expect(response.status).toBe(200)
  expect(response.headers.get('set-cookie')).toContain('Max-Age=0')
  expect(await response.json()).toBeNull()
})
