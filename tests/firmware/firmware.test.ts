import { generateKeyPairSync, sign } from 'node:crypto'
import fastify from 'fastify'
import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import type { Device } from '../../src/devices/device.js'
import { rangeOf } from '../../src/firmware/byte-range.js'
import type { Firmware } from '../../src/firmware/firmware.js'
import { signedText } from '../../src/firmware/firmware-upload.js'
import type { FirmwareOffer } from '../../src/firmware/rollout-offers.js'
import { precedes } from '../../src/firmware/semantic-version.js'
import { aDevice, aUser } from '../support/builders.js'
import { startChild } from '../support/child.js'
import { cleanUpLater } from '../support/clean-up.js'
import { testDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { openVolt } from '../support/volt.js'
import { anImage, serve, sha256Of, streamOf } from './support.js'

const database = testDatabase()
const chunks = database.db.collection('firmware_files.chunks')
const files = database.db.collection('firmware_files.files')
const { publicKey, privateKey } = generateKeyPairSync('ed25519')
let volt: AutoVolt
let serial = 0

beforeAll(async () => {
  volt = await openVolt(database, { firmware: { maximumBytes: 2_000_000 } })
  await volt.setup()
})

const nextVersion = () => {
  serial += 1
  return `1.${serial}.0`
}
const input = () => ({ version: nextVersion(), board: 'esp32dev' })
const chunkCount = () => chunks.countDocuments()

async function upload(bytes: Uint8Array): Promise<Firmware> {
  return volt.firmware.upload(input(), streamOf(bytes))
}

/** A roll-out to one device, with what it is offered. */
async function offered(image: Firmware, baseUrl: string): Promise<{ offer: FirmwareOffer; device: Device }> {
  const device = await volt.devices.create(aDevice({ secret: 'the secret of this device' }))
  await seen([device])
  const rollout = await volt.firmware.rollOut({ firmware: image._id, stages: [100], classrooms: [device.classroom!] })
  const offers: FirmwareOffer[] = []
  await volt.firmware.step({ baseUrl, offer: async (offer) => void offers.push(offer) })
  const [offer] = offers.filter((one) => one.rollout.equals(rollout._id))
  if (offer === undefined) throw new Error('Nothing was offered')
  return { offer, device }
}
const seen = (devices: readonly Device[], more: object = {}) =>
  database.db
    .collection('devices')
    .updateMany({ _id: { $in: devices.map(({ _id }) => _id) } }, { $set: { lastSeenAt: new Date(), ...more } })
const rowOf = ({ rollout, device }: FirmwareOffer) => volt.firmwareInstalls.findOne({ rollout, device: device._id })

describe('an upload', () => {
  it('stores the bytes with their digests, as every driver reads them', async () => {
    const bytes = anImage(200_001)
    const image = await volt.firmware.upload({ ...input(), sha256: sha256Of(bytes) }, streamOf(bytes))
    expect(image).toMatchObject({ status: 'ready', bytes: 200_001, sha256: sha256Of(bytes) })
    expect(image.chunkSha256).toHaveLength(4)
    const stored = await chunks.find({ files_id: image.fileId }).sort({ n: 1 }).toArray()
    expect(Buffer.concat(stored.map(({ data }) => data.buffer)).equals(bytes)).toBe(true)
    expect(await files.findOne({ _id: image.fileId })).toMatchObject({ length: 200_001, chunkSize: 65_536 })
    await volt.firmware.remove(image._id)
    expect(await chunks.countDocuments({ files_id: image.fileId })).toBe(0)
  })

  it('leaves nothing behind where the image is another, too large, empty, or the version is there', async () => {
    const before = await chunkCount()
    const wrong = volt.firmware.upload({ ...input(), sha256: sha256Of(anImage(1)) }, streamOf(anImage()))
    await expect(wrong).rejects.toMatchObject({ code: 'VALIDATION' })
    await expect(upload(anImage(2_000_001))).rejects.toMatchObject({ code: 'VALIDATION' })
    await expect(upload(anImage(0))).rejects.toMatchObject({ code: 'VALIDATION' })
    await expect(volt.firmware.upload({ ...input(), version: '1.0' }, streamOf(anImage()))).rejects.toThrow('semantic')
    expect(await chunkCount()).toBe(before)
    const { version, board } = await upload(anImage(10))
    await expect(volt.firmware.upload({ version, board }, streamOf(anImage()))).rejects.toMatchObject({
      code: 'CONFLICT',
    })
    expect(await chunkCount()).toBe(before + 1)
  })

  it('needs a signature over image, board and version where there are keys', async () => {
    const pem = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const signing = await openVolt(database, { firmware: { publicKeys: [pem] } })
    const bytes = anImage(1_000)
    const said = { ...input(), hardware: 'rev-c' }
    const signatureOf = (more: object = {}) =>
      sign(
        null,
        Buffer.from(signedText({ ...said, bytes: 1_000, sha256: sha256Of(bytes), ...more })),
        privateKey,
      ).toString('base64')
    await expect(signing.firmware.upload(said, streamOf(bytes))).rejects.toThrow('expected a signature')
    const ofAnother = { ...said, signature: signatureOf({ board: 'esp32s3' }) }
    await expect(signing.firmware.upload(ofAnother, streamOf(bytes))).rejects.toThrow('none of the keys')
    await expect(volt.firmware.upload({ ...said, signature: signatureOf() }, streamOf(bytes))).rejects.toMatchObject({
      code: 'CONFIGURATION',
    })
    expect(await signing.firmware.upload({ ...said, signature: signatureOf() }, streamOf(bytes))).toMatchObject({
      status: 'ready',
      signature: signatureOf(),
    })
    await expect(openVolt(database, { firmware: { publicKeys: ['a key'] } })).rejects.toMatchObject({
      code: 'CONFIGURATION',
    })
  })

  it('whose process is killed is removed by the next sweep, and its version is free', async () => {
    const before = await chunkCount()
    const version = nextVersion()
    for (const chunksBefore of [0, 1, 3]) {
      const env = {
        MONGODB_URI: database.uri,
        DB_NAME: database.dbName,
        VERSION: version,
        CHUNKS: String(chunksBefore),
      }
      const child = startChild(new URL('./processes/uploader.ts', import.meta.url), { env })
      await child.next('uploading')
      await eventually('it has begun', async () => (await chunkCount()) === before + chunksBefore)
      await child.kill()
      expect(await volt.firmware.sweepUploads()).toBe(0)
      await expect(volt.firmware.upload({ version, board: 'esp32dev' }, streamOf(anImage()))).rejects.toMatchObject({
        code: 'CONFLICT',
      })
      await database.db.collection('firmware_updates').updateOne({ version }, { $set: { uploadUntil: new Date(0) } })
      expect(await volt.firmware.sweepUploads()).toBe(1)
      expect(await chunkCount()).toBe(before)
    }
    expect(await volt.firmware.upload({ version, board: 'esp32dev' }, streamOf(anImage()))).toMatchObject({ version })
  })

  it('that was swept while it stood still notices, and leaves nothing', async () => {
    const before = await chunkCount()
    const said = input()
    const bytes = anImage(300_000)
    const slow = async function* () {
      yield bytes.subarray(0, 100_000)
      await database.db.collection('firmware_updates').updateOne(said, { $set: { uploadUntil: new Date(0) } })
      expect(await volt.firmware.sweepUploads()).toBe(1)
      yield bytes.subarray(100_000)
    }
    await expect(volt.firmware.upload(said, slow())).rejects.toMatchObject({ code: 'CONFLICT' })
    expect(await chunkCount()).toBe(before)
  })
})

describe('a download', () => {
  const bytes = anImage(150_000)
  let image: Firmware
  let base: string

  beforeAll(async () => {
    image = await upload(bytes)
    base = await serve(volt.firmware.handler())
  })

  it('has the whole, or any range of it, with one strong tag', async () => {
    const { offer } = await offered(image, `${base}/firmware/`)
    const get = async (headers: Record<string, string> = {}, method = 'GET') => {
      const response = await fetch(offer.url, { method, headers })
      return { response, body: Buffer.from(await response.arrayBuffer()) }
    }
    const etag = `"${sha256Of(bytes)}"`
    const head = await get({}, 'HEAD')
    expect(head.response.headers.get('content-length')).toBe('150000')
    const whole = await get()
    expect(whole.response.status).toBe(200)
    expect(whole.response.headers.get('etag')).toBe(etag)
    expect(whole.body.equals(bytes)).toBe(true)
    const ranges = {
      'bytes=0-0': [0, 1],
      'bytes=65535-65536': [65_535, 65_537],
      'bytes=149999-': [149_999, 150_000],
      'bytes=-70000': [80_000, 150_000],
    }
    for (const [range, [from, to]] of Object.entries(ranges)) {
      const part = await get({ range, 'if-range': etag })
      expect(part.response.status, range).toBe(206)
      expect(part.response.headers.get('content-range')).toBe(`bytes ${from}-${(to ?? 0) - 1}/150000`)
      expect(part.body.equals(bytes.subarray(from, to)), range).toBe(true)
    }
    const beyond = await get({ range: 'bytes=150000-' })
    expect([beyond.response.status, beyond.response.headers.get('content-range')]).toEqual([416, 'bytes */150000'])
    expect((await get({ range: 'bytes=5-9', 'if-range': '"another"' })).response.status).toBe(200)
    expect((await get({ range: 'bytes=0-1,5-9' })).response.status).toBe(200)
    expect((await get({}, 'POST')).response.status).toBe(405)
    expect(await rowOf(offer)).toMatchObject({ status: 'installing', sentBytes: 150_000 })
  })

  it('is for the device that it was offered to, until it expires, and while the roll-out runs', async () => {
    const { offer } = await offered(image, base)
    const other = await offered(image, base)
    const status = async (url: string) => (await fetch(url)).status
    const [own, another] = [offer.device._id.toHexString(), other.device._id.toHexString()]
    expect(await status(offer.url.replace(own, another))).toBe(403)
    expect(await status(offer.url.replace(own, new ObjectId().toHexString()))).toBe(403)
    expect(await status(offer.url.replace(/token=./, 'token=_'))).toBe(403)
    expect(await status(offer.url.replace(/expires=\d+/, `expires=${Date.now() - 1}`))).toBe(403)
    expect(await status(`${base}/nothing`)).toBe(404)
    await volt.firmware.pause(offer.rollout)
    expect(await status(offer.url)).toBe(409)
    await volt.firmware.resume(offer.rollout)
    expect(await status(offer.url)).toBe(200)
    await volt.firmware.cancel(offer.rollout)
    // Who has begun may end.
    expect(await status(offer.url)).toBe(200)
  })

  it('fits Fastify, and whatever takes a prefix off as Express does', async () => {
    const app = fastify()
    const handler = volt.firmware.handler()
    app.get('/firmware/*', (request, reply) => {
      reply.hijack()
      handler(request.raw, reply.raw)
    })
    cleanUpLater(() => app.close())
    const { offer } = await offered(image, `${await app.listen({ port: 0, host: '127.0.0.1' })}/firmware`)
    expect(Buffer.from(await (await fetch(offer.url)).arrayBuffer()).equals(bytes)).toBe(true)
    const mounted = await serve((request, response) => {
      request.url = (request.url ?? '').replace('/firmware', '')
      handler(request, response)
    })
    const second = await offered(image, `${mounted}/firmware`)
    expect((await fetch(second.offer.url)).status).toBe(200)
  })

  it('breaks off where a stored part is not what was uploaded, and halts the roll-outs', async () => {
    const broken = await upload(anImage(200_000))
    const { _id: createdBy } = await volt.users.create(aUser())
    const { offer } = await offered(broken, base)
    await database.db.collection('firmware_rollouts').updateOne({ _id: offer.rollout }, { $set: { createdBy } })
    const { data } = (await chunks.findOne({ files_id: broken.fileId, n: 2 })) as unknown as {
      data: { buffer: Buffer }
    }
    const spoilt = Buffer.from(data.buffer)
    spoilt[100] = (spoilt[100] ?? 0) ^ 1
    await chunks.updateOne({ files_id: broken.fileId, n: 2 }, { $set: { data: spoilt } })
    const response = await fetch(offer.url)
    await expect(response.arrayBuffer()).rejects.toThrow()
    await eventually('it is halted', async () => (await volt.firmwareRollouts.get(offer.rollout)).status === 'halted')
    expect(await volt.firmware.get(broken._id)).toMatchObject({ status: 'damaged' })
    await eventually('its maker knows', () => volt.notifications.findOne({ user: createdBy, kind: 'firmware_halted' }))
    expect(await rowOf(offer)).toMatchObject({ status: 'downloading', sentBytes: 131_072 })
  })
})

it('reads ranges as RFC 9110 has them', () => {
  expect(rangeOf('bytes=0-499', 1_000)).toEqual({ from: 0, to: 500 })
  expect(rangeOf('bytes=500-5000', 1_000)).toEqual({ from: 500, to: 1_000 })
  expect(rangeOf('bytes=-5000', 1_000)).toEqual({ from: 0, to: 1_000 })
  expect([rangeOf('bytes=-0', 1_000), rangeOf('bytes=1000-', 1_000)]).toEqual([null, null])
  for (const whole of [
    undefined,
    'bytes=',
    'bytes=-',
    'bytes=9-5',
    'items=0-5',
    'bytes=0-1, 3-4',
    `bytes=${'9'.repeat(16)}-`,
  ])
    expect(rangeOf(whole, 1_000)).toBeUndefined()
})

it('orders versions as semver.org does', () => {
  const ordered = [
    '1.0.0-alpha',
    '1.0.0-alpha.1',
    '1.0.0-alpha.beta',
    '1.0.0-beta',
    '1.0.0-beta.2',
    '1.0.0-beta.11',
    '1.0.0-rc.1',
    '1.0.0',
    '2.0.0',
    '2.1.0',
    '2.1.1',
    '2.11.0',
  ]
  for (const [at, one] of ordered.entries())
    for (const [other, another] of ordered.entries())
      expect(precedes(one, another), `${one} ${another}`).toBe(at < other)
  expect(precedes('1.0.0+a', '1.0.0+b')).toBe(false)
  expect(precedes('WARP stable', '1.0.0')).toBe(false)
})
