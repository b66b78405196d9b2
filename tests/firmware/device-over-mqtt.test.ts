import { createHmac } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { connectAsync } from 'mqtt'
import { expect, it } from 'vitest'
import { offerFirmwareBy } from '../../src/mqtt/firmware-offers.js'
import { secret } from '../mqtt/support/payloads.js'
import { openSite, v2Topic } from '../mqtt/support/site.js'
import { startAedes } from '../support/aedes.js'
import { cleanUpLater } from '../support/clean-up.js'
import { eventually } from '../support/eventually.js'
import { anImage, serve, sha256Of, streamOf } from './support.js'

const imageBytes = 1_500_000

/** What a simulated device gets of a download before its connection is cut. */
interface Part {
  readonly status: number
  readonly etag: string
  readonly size: number
  readonly bytes: Buffer
}

/** Asks for the rest as docs/mqtt.md says; the connection is cut after some bytes. */
function fetchRest(url: string, from: number, etag: string | undefined, cutAfter: number): Promise<Part> {
  return new Promise((resolve, reject) => {
    const headers = { range: `bytes=${from}-`, ...(etag === undefined ? {} : { 'if-range': etag }) }
    const outgoing = httpRequest(url, { headers, agent: false }, (response) => {
      const received: Buffer[] = []
      let length = 0
      const end = () =>
        resolve({
          status: response.statusCode ?? 0,
          etag: String(response.headers.etag),
          size: Number(/\/(\d+)$/.exec(String(response.headers['content-range']))?.[1]),
          bytes: Buffer.concat(received),
        })
      response.on('data', (data: Buffer) => {
        received.push(data)
        length += data.length
        if (length >= cutAfter) outgoing.destroy()
      })
      response.on('close', end)
      response.on('error', () => undefined)
    })
    outgoing.on('error', reject)
    outgoing.end()
  })
}

it('reaches a device over MQTT and HTTP through cuts of the connection, and is known by the version that it then reports', async () => {
  const broker = await startAedes()
  const site = await openSite()
  const { volt } = site
  const device = await site.device()
  await site.ingest({ url: broker.url })
  const bytes = anImage(imageBytes)
  const image = await volt.firmware.upload({ version: '2.1.0', board: 'esp32dev' }, streamOf(bytes, 60_000))

  const onDevice = await connectAsync(broker.url)
  const host = await connectAsync(broker.url)
  cleanUpLater(async () => {
    await onDevice.endAsync()
    await host.endAsync()
  })
  const topic = v2Topic(device, 'firmware')
  const offers: Record<string, unknown>[] = []
  onDevice.on('message', (on, payload) => {
    const [unsigned = '', tail = ''] = payload.toString().split(',"hmac":"')
    const hmac = createHmac('sha256', secret).update(`${on}\n${unsigned}`).digest('hex')
    if (tail === `${hmac}"}`) offers.push(JSON.parse(payload.toString()))
  })
  await onDevice.subscribeAsync(topic, { qos: 1 })

  const heartbeat = (boot: string, firmware: string) =>
    onDevice.publishAsync(
      v2Topic(device, 'heartbeat'),
      JSON.stringify({ id: `h-${boot}`, boot, seq: 1, time: Date.now(), firmware }),
      { qos: 1 },
    )
  await heartbeat('b1', '2.0.0')
  await eventually('the device is known to be there', async () => (await volt.devices.get(device._id)).firmwareVersion)
  const rollout = await volt.firmware.rollOut({ firmware: image._id, stages: [100] })
  const baseUrl = await serve(volt.firmware.handler())
  await volt.firmware.step({ baseUrl, offer: offerFirmwareBy(host, volt) })
  await eventually('the device was told', () => offers.length === 1)
  const [offer] = offers
  expect(offer).toMatchObject({ version: '2.1.0', board: 'esp32dev', bytes: imageBytes, sha256: sha256Of(bytes) })

  const url = String(offer?.url)
  let written = Buffer.alloc(0)
  let etag: string | undefined
  let connections = 0
  while (written.length < imageBytes) {
    const part = await fetchRest(url, written.length, etag, 50_000 + ((connections * 77_777) % 200_000))
    connections += 1
    expect({ status: part.status, size: part.size }).toEqual({ status: 206, size: imageBytes })
    etag ??= part.etag
    expect(part.etag).toBe(etag)
    written = Buffer.concat([written, part.bytes])
    expect(connections).toBeLessThan(100)
  }
  expect(connections).toBeGreaterThan(5)
  expect(sha256Of(written)).toBe(offer?.sha256)
  const row = () => volt.firmwareInstalls.findOne({ rollout: rollout._id, device: device._id })
  await eventually('the last byte has left', async () => (await row())?.status === 'installing')

  await heartbeat('b2', '2.1.0')
  await eventually('it came back', async () => (await volt.devices.get(device._id)).firmwareVersion === '2.1.0')
  await volt.firmware.step({ baseUrl, offer: offerFirmwareBy(host, volt) })
  expect(await row()).toMatchObject({ status: 'succeeded', offers: 1 })
  expect(await volt.firmwareRollouts.get(rollout._id)).toMatchObject({ status: 'finished' })
})

it('says over MQTT why it could not install it', async () => {
  const broker = await startAedes()
  const site = await openSite()
  const { volt } = site
  const device = await site.device()
  await site.ingest({ url: broker.url })
  const image = await volt.firmware.upload({ version: '2.1.0', board: 'esp32dev' }, streamOf(anImage()))
  const onDevice = await connectAsync(broker.url)
  cleanUpLater(() => onDevice.endAsync())
  const send = (kind: string, seq: number, content: object) =>
    onDevice.publishAsync(
      v2Topic(device, kind),
      JSON.stringify({ id: `m-${seq}`, boot: 'b1', seq, time: Date.now(), ...content }),
      { qos: 1 },
    )
  await send('heartbeat', 1, { firmware: '2.0.0' })
  await eventually('the device is there', async () => (await volt.devices.get(device._id)).firmwareVersion)
  const rollout = await volt.firmware.rollOut({ firmware: image._id, stages: [100] })
  await volt.firmware.step({ baseUrl: 'http://127.0.0.1:1', offer: async () => undefined })
  await send('firmware_failed', 2, { rollout: rollout._id.toHexString(), reason: 'sha256 differs' })
  const row = () => volt.firmwareInstalls.findOne({ rollout: rollout._id, device: device._id })
  await eventually('it has failed', async () => (await row())?.status === 'failed')
  expect(await row()).toMatchObject({ reason: 'sha256 differs' })
  const logged = () => volt.deviceLogs.findOne({ device: device._id, kind: 'firmware_update' })
  await eventually('it is in the device log', async () => (await logged()) !== null)
  expect(await logged()).toMatchObject({ level: 'warning', details: { reason: 'sha256 differs' } })
})
