import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { configurationOf } from '../../examples/services/configuration.js'
import { expressService } from '../../examples/services/express-service.js'
import { fastifyService } from '../../examples/services/fastify-service.js'
import { statusOfCode } from '../../examples/services/http-errors.js'
import type { AutoVolt } from '../../src/autovolt.js'
import { rootFolder } from '../docs/code-blocks.js'
import { testDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const makers: Readonly<Record<string, (volt: AutoVolt, ending: AbortSignal) => Promise<Server>>> = {
  Fastify: async (volt, ending) => {
    const app = fastifyService(volt, ending)
    await app.ready()
    return app.server
  },
  Express: async (volt, ending) => createServer(expressService(volt, ending)),
}

describe.each(Object.entries(makers))('the service with %s', (_name, make) => {
  const ending = new AbortController()
  let volt: AutoVolt
  let server: Server
  let url = ''
  let classroom = ''
  const send = (path: string, options: RequestInit = {}) => fetch(`${url}${path}`, options)
  const post = (body: unknown, method = 'POST', path = '/devices', headers = {}) =>
    send(path, { method, body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } })
  const device = (name: string, macAddress: string) => ({ name, macAddress, classroom })

  beforeAll(async () => {
    volt = await openVolt(testDatabase())
    await volt.setup()
    classroom = (await volt.classrooms.create({ name: 'Room 101' }))._id.toHexString()
    server = (await make(volt, ending.signal)).listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as { port: number }).port}`
  })

  afterAll(async () => {
    server.close()
    ending.abort()
    server.closeAllConnections()
  })

  it('creates, reads, pages and changes devices, and answers mistakes with a status and a reason', async () => {
    const created = await post(device('Lamp', 'AABBCCDDEE01'))
    expect(created.status).toBe(201)
    const { _id } = (await created.json()) as { _id: string }
    expect(await (await send(`/devices/${_id}`)).json()).toMatchObject({
      name: 'Lamp',
      macAddress: 'AA:BB:CC:DD:EE:01',
    })
    expect((await post(device('Fan', 'AABBCCDDEE02'))).status).toBe(201)
    const names = async (query: string) => {
      const { items } = (await (await send(`/devices${query}`)).json()) as { items: { name: string }[] }
      return items.map(({ name }) => name)
    }
    expect(await names('')).toEqual(['Fan', 'Lamp'])
    expect(await names('?sort=-name&limit=1')).toEqual(['Lamp'])

    const again = await post(device('Other', 'AABBCCDDEE01'))
    expect([again.status, await again.json()]).toMatchObject([409, { code: 'CONFLICT', fields: ['macAddress'] }])
    const wrong = await post({ ...device('Other', 'x'), owner: classroom })
    expect([wrong.status, await wrong.json()]).toMatchObject([400, { code: 'VALIDATION' }])
    const notJson = await send('/devices', {
      method: 'POST',
      body: '{',
      headers: { 'content-type': 'application/json' },
    })
    expect(notJson.status).toBe(400)
    const badId = await send('/devices/12')
    expect([badId.status, await badId.json()]).toMatchObject([400, { issues: [{ path: 'id' }] }])
    expect((await send('/devices/65f000000000000000000001')).status).toBe(404)

    const changed = await post({ name: 'Lamp 2' }, 'PATCH', `/devices/${_id}`, { 'if-match': '0' })
    expect([changed.status, await changed.json()]).toMatchObject([200, { name: 'Lamp 2', __v: 1 }])
    const stale = await post({ name: 'Lamp 3' }, 'PATCH', `/devices/${_id}`, { 'if-match': '0' })
    expect([stale.status, await stale.json()]).toMatchObject([409, { code: 'STALE_VERSION' }])
  })

  it('gives peak hours as CSV, and its health', async () => {
    const csv = await send('/peak-hours.csv?from=2026-11-23&to=2026-11-29&classroom=Room%20101')
    expect(csv.headers.get('content-type')).toMatch(/^text\/csv/)
    expect(await csv.text()).toBe('hour,energy_kwh,switches\n')
    expect((await send('/peak-hours.csv?from=x')).status).toBe(400)
    expect(await (await send('/health')).json()).toMatchObject({ status: 'up', notices: [] })
  })

  it('streams changes, and goes on after the last one that was seen', async () => {
    const first = await changesOf(await send('/changes'))
    await post(device('One', 'AABBCCDDEE11'))
    const seen = await first.next()
    expect(seen).toMatchObject({ data: { type: 'created', device: { name: 'One' } } })
    await first.end()
    await post(device('Two', 'AABBCCDDEE12'))
    const second = await changesOf(await send('/changes', { headers: { 'last-event-id': seen.id } }))
    expect(await second.next()).toMatchObject({ data: { type: 'created', device: { name: 'Two' } } })
    await second.end()
    expect((await send('/changes', { headers: { 'last-event-id': 'no-token' } })).status).toBe(400)
  })
})

/** Reads server-sent events. */
async function changesOf(response: Response) {
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  if (reader === undefined) throw new Error('There is no body')
  let text = ''
  const next = async (): Promise<{ id: string; data: unknown }> => {
    for (;;) {
      const found = /^id: (\w+)\nevent: device\ndata: (.*)\n\n/m.exec(text)
      if (found !== null) {
        text = text.slice(found.index + found[0].length)
        return { id: found[1] ?? '', data: JSON.parse(found[2] ?? '') }
      }
      const { value, done } = await reader.read()
      if (done) throw new Error(`The stream ended after ${text}`)
      text += value
    }
  }
  return { next, end: () => reader.cancel() }
}

it('the configuration names the variable that is wrong, and no value', () => {
  expect(configurationOf({ AUTOVOLT_KEY: 'AAAA' })).toMatchObject({ PORT: 3000, MONGODB_DB_NAME: 'school' })
  expect(() => configurationOf({ AUTOVOLT_KEY: 'not base64!', PORT: '1' })).toThrow(
    /^The environment is not valid: AUTOVOLT_KEY: (?!.*not base64)/,
  )
})

it('the guide has a row for every error code, with the status that the services answer', () => {
  const source = readFileSync(join(rootFolder, 'src/core/errors.ts'), 'utf8')
  const union = /export type ErrorCode =(.*?)\n\n/s.exec(source)?.[1] ?? ''
  const codes = [...union.matchAll(/'(\w+)'/g)].map(([, code]) => code ?? '')
  const guide = readFileSync(join(rootFolder, 'docs/building-a-service.md'), 'utf8')
  const rows = new Map(
    [...guide.matchAll(/^\| `(\w+)`\s+\| (\d{3})/gm)].map(([, code, status]) => [code, Number(status)]),
  )
  const statuses: Readonly<Record<string, number>> = statusOfCode
  expect(Object.fromEntries(rows)).toEqual(Object.fromEntries(codes.map((code) => [code, statuses[code] ?? 500])))
})
