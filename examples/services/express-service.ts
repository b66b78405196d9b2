// Devices and their energy over HTTP, with Express 5, which takes what an async handler throws. The same with Fastify is beside it.
import { type AutoVolt, deviceEntity, pageQuerySchema, validateData } from '@autovolt/data'
import express, { type ErrorRequestHandler, type Express } from 'express'
import { answerTo } from './http-errors.js'
import { sendChanges } from './live-changes.js'
import { peakHoursCsv } from './peak-hours-csv.js'

export function expressService(volt: AutoVolt, ending: AbortSignal): Express {
  const app = express()
  app.disable('x-powered-by')
  app.use(express.json({ limit: 65_536 }))

  app.post('/devices', async (request, response) => {
    const input = validateData(deviceEntity.requestSchema, request.body, 'The device')
    response.status(201).json(await volt.devices.create(input))
  })

  app.get('/devices', async (request, response) => {
    const query = validateData(pageQuerySchema, request.query, 'The query')
    response.json(await volt.devices.page({}, { sort: { name: 1 }, ...query }))
  })

  app.get('/devices/:id', async (request, response) => {
    response.json(await volt.devices.get(request.params.id))
  })

  app.patch('/devices/:id', async (request, response) => {
    const changes = validateData(deviceEntity.requestChangesSchema, request.body, 'The change')
    const version = request.headers['if-match']
    const options = version === undefined ? {} : { version: Number(version) }
    response.json(await volt.devices.update(request.params.id, changes, options))
  })

  app.get('/peak-hours.csv', async (request, response) => {
    response.type('text/csv').send(await peakHoursCsv(volt, request.query))
  })

  app.get('/changes', (request, response) => sendChanges(volt, request, response, ending))

  app.get('/health', async (_request, response) => {
    const health = await volt.health()
    response.status(health.status === 'up' ? 200 : 503).json(health)
  })

  const onError: ErrorRequestHandler = (error, _request, response, next) => {
    if (response.headersSent) return next(error)
    const { status, headers, body } = answerTo(error)
    if (status >= 500) console.error(error)
    response.status(status).set(headers).json(body)
  }
  app.use(onError)
  return app
}
