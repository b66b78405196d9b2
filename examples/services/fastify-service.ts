// Devices and their energy over HTTP, with Fastify. The same with Express is beside it.
import { type AutoVolt, deviceEntity, pageQuerySchema, validateData } from '@autovolt/data'
import Fastify, { type FastifyInstance } from 'fastify'
import { answerTo } from './http-errors.js'
import { sendChanges } from './live-changes.js'
import { peakHoursCsv } from './peak-hours-csv.js'

export function fastifyService(volt: AutoVolt, ending: AbortSignal): FastifyInstance {
  const app = Fastify({ bodyLimit: 65_536 })

  app.setErrorHandler((error, _request, reply) => {
    const { status, headers, body } = answerTo(error)
    if (status >= 500) app.log.error(error)
    return reply.code(status).headers(headers).send(body)
  })

  app.post('/devices', async (request, reply) => {
    const input = validateData(deviceEntity.requestSchema, request.body, 'The device')
    return reply.code(201).send(await volt.devices.create(input))
  })

  app.get('/devices', async (request) => {
    const query = validateData(pageQuerySchema, request.query, 'The query')
    return volt.devices.page({}, { sort: { name: 1 }, ...query })
  })

  app.get<{ Params: { id: string } }>('/devices/:id', async ({ params }) => volt.devices.get(params.id))

  // The version that the caller has seen: what somebody else has changed meanwhile is not overwritten.
  app.patch<{ Params: { id: string }; Headers: { 'if-match'?: string } }>('/devices/:id', async (request) => {
    const changes = validateData(deviceEntity.requestChangesSchema, request.body, 'The change')
    const version = request.headers['if-match']
    return volt.devices.update(request.params.id, changes, version === undefined ? {} : { version: Number(version) })
  })

  app.get('/peak-hours.csv', async ({ query }, reply) =>
    reply.type('text/csv; charset=utf-8').send(await peakHoursCsv(volt, query)),
  )

  app.get('/changes', async (request, reply) => {
    reply.hijack()
    await sendChanges(volt, request.raw, reply.raw, ending).catch((error: unknown) => {
      if (reply.raw.headersSent) return
      const { status, body } = answerTo(error)
      reply.raw.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
    })
  })

  app.get('/health', async (_request, reply) => {
    const health = await volt.health()
    return reply.code(health.status === 'up' ? 200 : 503).send(health)
  })

  return app
}
