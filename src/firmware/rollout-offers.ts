import type { ObjectId } from 'mongodb'
import type { Device } from '../devices/device.js'
import { downloadToken } from './download-token.js'
import type { Firmware } from './firmware.js'
import { type FirmwareParts, haltRollout } from './firmware-parts.js'
import type { FirmwareInstall } from './install.js'
import type { Rollout } from './rollout.js'

/** Firmware offer: what a device is to know of an update. */
export interface FirmwareOffer {
  readonly rollout: ObjectId
  readonly device: Pick<Device, '_id' | 'macAddress'>
  readonly version: string
  readonly board: string
  readonly hardware: string | undefined
  readonly bytes: number
  /** Hexadecimal digits. */
  readonly sha256: string
  /** Ed25519, in base64. */
  readonly signature: string | undefined
  /** Where it is, for this device alone, until `expiresAt`. */
  readonly url: string
  readonly expiresAt: Date
}

/** Carries offers to devices, such as over MQTT. An offer may come again. Of one that it throws for, the device gets another later. */
export type OfferFirmware = (offer: FirmwareOffer) => Promise<void>

/** Roll-out step options: what moves roll-outs on. */
export interface StepOptions {
  /** Carries offers to the devices. */
  readonly offer: OfferFirmware
  /** Where devices reach the handler, such as `https://energy.example.org/firmware`. */
  readonly baseUrl: string
}

/** How long an offer is good for. */
const offerMs = 3_600_000
/** The message may be lost. */
const offeredAgainMs = 600_000
/** A device that has come back since was away when it was offered it, as a rule. One that comes and goes is not offered it each time. */
const offeredBackMs = 30_000
/** A device that was seen since is offered it. */
const seenWithinMs = 300_000
const rowsAtOnce = 500
const pagesAtOnce = 10
const minuteMs = 60_000

type Known = Pick<Device, '_id' | 'macAddress' | 'firmwareVersion' | 'lastSeenAt' | 'status' | 'statusAt'>
type Image = Firmware & { readonly bytes: number; readonly sha256: string }

/** Offers a firmware to the devices whose turn it is. */
export class RolloutOffers {
  readonly #parts: FirmwareParts
  /** Where the last step stopped looking, by the roll-out and the status: devices that are away are not to stand before others. */
  readonly #lookedTo = new Map<string, number>()

  constructor(parts: FirmwareParts) {
    this.#parts = parts
  }

  /** To devices of the stages so far that are there, as many as a minute has left. */
  async offer(rollout: Rollout, percent: number, options: StepOptions, signal: AbortSignal): Promise<void> {
    const { installs, database, firmware } = this.#parts
    const image = await firmware.findOne({ _id: rollout.firmware, status: 'ready' })
    if (image === null || !isWhole(image)) {
      await haltRollout(this.#parts, rollout, 'its firmware is not there any more, or damaged')
      return
    }
    const now = database.clock.now()
    const lastMinute = { rollout: rollout._id, offeredAt: { $gt: new Date(now.getTime() - minuteMs) } }
    let room = rollout.perMinute - (await installs.for('offer').count(lastMinute))
    for (const status of ['downloading', 'pending'] as const) {
      for (let page = 0; page < pagesAtOnce && room > 0 && !signal.aborted; page += 1) {
        const rows = await this.#nextRows(rollout, status, percent)
        room -= await this.#offerAll(rows, { rollout, image, now, room, options })
        if (rows.length < rowsAtOnce) break
      }
    }
  }

  /** The rows after those that were looked at last; none once at their end. */
  async #nextRows(rollout: Rollout, status: 'pending' | 'downloading', percent: number): Promise<FirmwareInstall[]> {
    const key = `${rollout._id.toHexString()} ${status}`
    const share = { $gt: this.#lookedTo.get(key) ?? -2, $lt: percent }
    const query = { rollout: rollout._id, status, share }
    const rows = await this.#parts.installs.for('offer').find(query, { sort: { share: 1 }, limit: rowsAtOnce })
    const last = rows.at(-1)
    if (last === undefined || rows.length < rowsAtOnce) this.#lookedTo.delete(key)
    else this.#lookedTo.set(key, last.share)
    return rows
  }

  async #offerAll(
    rows: readonly FirmwareInstall[],
    context: { rollout: Rollout; image: Image; now: Date; room: number; options: StepOptions },
  ): Promise<number> {
    const { rollout, image, now, room, options } = context
    const ids = rows.map(({ device }) => device)
    const projection = { macAddress: 1, firmwareVersion: 1, lastSeenAt: 1, status: 1, statusAt: 1 }
    const found = await this.#parts.deviceDocuments
      .for('offer')
      .find<Known>({ _id: { $in: ids }, deletedAt: null }, { projection })
    const devices = new Map(found.map((device) => [device._id.toHexString(), device]))
    let offered = 0
    for (const row of rows) {
      const device = devices.get(row.device.toHexString())
      if (device === undefined) await this.#end(row, 'cancelled', 'the device is not there any more', now)
      else if (device.firmwareVersion === rollout.version)
        await this.#end(row, 'succeeded', 'it ran this version already', now)
      else if (
        offered < room &&
        isDue(row, device, now) &&
        (await this.#offerTo(row, device, rollout, image, now, options))
      )
        offered += 1
    }
    return offered
  }

  async #end(row: FirmwareInstall, status: 'succeeded' | 'cancelled', reason: string, endedAt: Date): Promise<void> {
    await this.#parts.installs
      .for('offer')
      .updateOne({ _id: row._id, status: row.status }, { $set: { status, reason, endedAt } })
  }

  /** @returns whether it was offered. */
  async #offerTo(row: FirmwareInstall, device: Known, rollout: Rollout, image: Image, now: Date, options: StepOptions) {
    const { installs, devices, database } = this.#parts
    // What was offered counts before the message leaves: a process that is killed has not offered more than it may.
    const seen = { _id: row._id, status: row.status, offers: row.offers }
    const { matched } = await installs.for('offer').updateOne(seen, { $set: { offeredAt: now }, $inc: { offers: 1 } })
    if (matched === 0) return false
    try {
      const secret = await devices.revealDeviceSecret(device._id)
      await options.offer(offerOf(device, rollout, image, now, options.baseUrl, secret))
    } catch (error) {
      const reason = error instanceof Error ? error.message.slice(0, 500) : 'unknown'
      database.logger.warn({ device: device._id, reason }, 'a firmware could not be offered')
      await installs.for('offer').updateOne({ _id: row._id, status: row.status }, { $set: { reason } })
    }
    return true
  }
}

function offerOf(
  device: Known,
  rollout: Rollout,
  image: Image,
  now: Date,
  baseUrl: string,
  secret: string,
): FirmwareOffer {
  const expiresAt = new Date(now.getTime() + offerMs)
  const right = { rollout: rollout._id, device: device._id, expiresMs: expiresAt.getTime() }
  const path = `${rollout._id.toHexString()}/${device._id.toHexString()}`
  const query = `expires=${right.expiresMs}&token=${downloadToken(right, secret)}`
  return {
    rollout: rollout._id,
    device: { _id: device._id, macAddress: device.macAddress },
    version: image.version,
    board: image.board,
    hardware: image.hardware,
    bytes: image.bytes,
    sha256: image.sha256,
    signature: image.signature,
    url: `${baseUrl.replace(/\/+$/, '')}/${path}?${query}`,
    expiresAt,
  }
}

function isDue({ status, offeredAt }: FirmwareInstall, device: Known, now: Date): boolean {
  const { lastSeenAt } = device
  const isThere = lastSeenAt !== undefined && now.getTime() - lastSeenAt.getTime() <= seenWithinMs
  if (!isThere || offeredAt === undefined) return isThere
  // Who has begun needs another offer only to resume after the end of the one before.
  const pendingMs = isBack(device, offeredAt) ? offeredBackMs : offeredAgainMs
  return now.getTime() - offeredAt.getTime() >= (status === 'downloading' ? offerMs : pendingMs)
}

/** Whether the device has connected since. */
function isBack({ status, statusAt }: Known, since: Date): boolean {
  return status === 'online' && statusAt !== undefined && statusAt > since
}

function isWhole(image: Firmware): image is Image {
  return image.bytes !== undefined && image.sha256 !== undefined
}
