import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ObjectId } from 'mongodb'
import { DatabaseError } from '../core/errors.js'
import { type ByteRange, rangeOf } from './byte-range.js'
import { type DownloadRight, isDownloadToken } from './download-token.js'
import { chunkBytes, type Firmware } from './firmware.js'
import { type FirmwareParts, haltRollout } from './firmware-parts.js'
import type { FirmwareInstall } from './install.js'

/** Firmware handler: takes a request as Node's `http` has it, and answers it. */
export type FirmwareHandler = (request: IncomingMessage, response: ServerResponse) => void

interface Download {
  readonly image: Firmware & { readonly bytes: number; readonly sha256: string }
  readonly row: FirmwareInstall
}

/** Serves images to the devices that were offered them. */
export class FirmwareDownloads {
  readonly #parts: FirmwareParts

  constructor(parts: FirmwareParts) {
    this.#parts = parts
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    this.#answer(request, response).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error)
      this.#parts.database.logger.warn({ reason }, 'a firmware download failed')
      // What the device has of it so far is not to look whole.
      if (response.headersSent) response.destroy()
      else refuse(response, 503)
    })
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(response, 405, { allow: 'GET, HEAD' })
    const asked = askedFor(request.url ?? '')
    if (asked === undefined) return refuse(response, 404)
    if (!(await this.#isAllowed(asked))) return refuse(response, 403)
    const download = await this.#downloadOf(asked)
    if (download === undefined) return refuse(response, 409)
    const { bytes, sha256 } = download.image
    const etag = `"${sha256}"`
    const ifRange = request.headers['if-range']
    const range = ifRange === undefined || ifRange === etag ? rangeOf(request.headers.range, bytes) : undefined
    if (range === null) return refuse(response, 416, { 'content-range': `bytes */${bytes}` })
    const { from, to } = range ?? { from: 0, to: bytes }
    response.writeHead(range === undefined ? 200 : 206, {
      'content-type': 'application/octet-stream',
      'content-length': to - from,
      'accept-ranges': 'bytes',
      'cache-control': 'private, no-transform',
      etag,
      ...(range === undefined ? {} : { 'content-range': `bytes ${from}-${to - 1}/${bytes}` }),
    })
    if (request.method === 'HEAD') response.end()
    else await this.#send(download, { from, to }, response)
  }

  /** Whether the token is that of the device, and of now. */
  async #isAllowed({ token, ...right }: DownloadRight & { readonly token: string }): Promise<boolean> {
    if (right.expiresMs < this.#parts.database.clock.now().getTime()) return false
    try {
      return isDownloadToken(token, right, await this.#parts.devices.revealDeviceSecret(right.device))
    } catch (error) {
      if (error instanceof DatabaseError && error.code === 'NOT_FOUND') return false
      throw error
    }
  }

  /** What the device may have; of a roll-out that does not run only who has begun. */
  async #downloadOf({ rollout: _id, device }: DownloadRight): Promise<Download | undefined> {
    const { installs, rollouts, firmware, database } = this.#parts
    const rollout = await rollouts.for('download').findOne({ _id })
    if (rollout === null) return undefined
    const image = await firmware.for('download').findOne({ _id: rollout.firmware, status: 'ready' })
    if (image?.bytes === undefined || image.sha256 === undefined) return undefined
    const row = await installs.for('download').findOne({ rollout: _id, device })
    const whole = { ...image, bytes: image.bytes, sha256: image.sha256 }
    if (row?.status === 'downloading' || row?.status === 'installing') return { image: whole, row }
    if (row?.status !== 'pending' || rollout.status !== 'running') return undefined
    const startedAt = database.clock.now()
    const deadlineAt = new Date(startedAt.getTime() + rollout.installMs)
    const begun = { $set: { status: 'downloading', startedAt, deadlineAt, sentBytes: 0 } }
    const started = await installs.for('download').findOneAndUpdate({ _id: row._id, status: 'pending' }, begun)
    return started === null ? undefined : { image: whole, row: started }
  }

  /** Each part is verified before its bytes leave. */
  async #send({ image, row }: Download, { from, to }: ByteRange, response: ServerResponse): Promise<void> {
    let sentTo = from
    try {
      while (sentTo < to && !response.destroyed) {
        const n = Math.floor(sentTo / chunkBytes)
        const chunk = await this.#parts.files.chunk(image, n)
        const part = chunk.subarray(sentTo - n * chunkBytes, to - n * chunkBytes)
        if (!response.write(part)) await eventOf(response, 'drain')
        sentTo += part.length
      }
      if (response.destroyed) return
      response.end()
      await eventOf(response, 'finish')
    } catch (error) {
      if (error instanceof DatabaseError && error.code === 'FIRMWARE_DAMAGED') await this.#damaged(image)
      throw error
    } finally {
      // What a cut connection has taken in need not have arrived: of the end only the device can tell.
      await this.#note(row, image.bytes, { from, to: response.writableFinished ? to : Math.min(sentTo, to - 1) })
    }
  }

  /** How far the device has come without a gap; with the last byte it installs. */
  async #note(row: FirmwareInstall, bytes: number, { from, to }: ByteRange): Promise<void> {
    const { installs, database } = this.#parts
    const going = { _id: row._id, status: 'downloading' }
    const further = { ...going, sentBytes: { $gte: from, $lt: to } }
    await installs.for('download').updateOne(further, { $set: { sentBytes: to } })
    const sent = { $set: { status: 'installing', sentAt: database.clock.now() } }
    await installs.for('download').updateOne({ ...going, sentBytes: bytes }, sent)
  }

  async #damaged({ _id }: Firmware): Promise<void> {
    const { firmware, rollouts } = this.#parts
    await firmware.for('damaged').updateOne({ _id, status: 'ready' }, { $set: { status: 'damaged' } })
    for (const rollout of await rollouts.for('damaged').find({ firmware: _id, status: 'running' }))
      await haltRollout(this.#parts, rollout, 'its firmware is damaged')
  }
}

/** The last two parts of the path are ids, whatever the handler is mounted under. */
function askedFor(url: string): (DownloadRight & { readonly token: string }) | undefined {
  if (url.length > 2_000) return undefined
  const match = /\/([0-9a-f]{24})\/([0-9a-f]{24})\?expires=(\d{1,15})&token=([A-Za-z0-9_-]{43})$/.exec(url)
  if (match === null) return undefined
  const [, rollout = '', device = '', expires = '', token = ''] = match
  return { rollout: new ObjectId(rollout), device: new ObjectId(device), expiresMs: Number(expires), token }
}

function refuse(response: ServerResponse, status: number, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, { ...headers, 'content-length': 0 }).end()
}

/** Until the event, or until nobody reads any more. */
async function eventOf(response: ServerResponse, event: 'drain' | 'finish'): Promise<void> {
  if (response.destroyed) return
  const over = new AbortController()
  try {
    await Promise.race([
      once(response, event, { signal: over.signal }),
      once(response, 'close', { signal: over.signal }),
    ])
  } finally {
    over.abort()
  }
}
