import type { DeviceLog, DeviceLogInput } from '../activity/device-log.js'
import type { DevicePresence } from '../devices/device-presence.js'
import type { DeviceDirectory, KnownDevice } from './device-directory.js'
import type { Refusal } from './quarantine-store.js'

/** What was last logged of a device by this process: its document is as old as ten seconds. */
interface Known {
  readonly status: string | undefined
  readonly boot: string | undefined
  readonly firmwareVersion: string | undefined
}

const mostRemembered = 100_000
const minuteMs = 60_000
const hourMs = 3_600_000

/**
 * Logs what ingestion learns of devices: that they came, went, started again, run another firmware, or sent what could not be used. What
 * several processes learn is logged once.
 */
export class DeviceNotes {
  readonly #log: DeviceLog
  readonly #known = new Map<string, Known>()

  constructor(log: DeviceLog) {
    this.#log = log
  }

  /** What changed with a batch that was stored. */
  note(devices: readonly KnownDevice[], presences: readonly DevicePresence[]): void {
    const byId = new Map(devices.map((device) => [device.id.toHexString(), device]))
    for (const presence of presences) {
      const key = presence.deviceId.toHexString()
      const device = byId.get(key)
      if (device === undefined) continue
      const known = this.#known.get(key) ?? knownOf(device)
      for (const entry of entriesOf(known, presence)) this.#log.log({ device: device.id, ...entry })
      this.#remember(key, {
        status: presence.status ?? known.status,
        boot: bootOf(presence) ?? known.boot,
        firmwareVersion: presence.firmwareVersion ?? known.firmwareVersion,
      })
    }
  }

  /** Messages that name registered devices and could not be used: one entry for each reason and hour. */
  noteRefusals(refusals: readonly Refusal[], directory: DeviceDirectory): void {
    for (const { message, reason, detail, macAddress } of refusals) {
      const device = macAddress === undefined ? undefined : directory.find({ macAddress })
      if (device === undefined) continue
      const hour = Math.floor(message.receivedAt.getTime() / hourMs)
      const details = { reason, detail }
      const key = `message_refused:${reason}:${hour}`
      this.#log.log({ device: device.id, kind: 'message_refused', details, at: message.receivedAt, key })
    }
  }

  #remember(key: string, known: Known): void {
    // A device that is forgotten is compared with its document.
    if (this.#known.size >= mostRemembered) this.#known.clear()
    this.#known.set(key, known)
  }
}

type Entry = Omit<DeviceLogInput, 'device'>

function entriesOf(known: Known, presence: DevicePresence): Entry[] {
  const { status, statusAt, lastSeenAt, firmwareVersion } = presence
  const entries: Entry[] = []
  const at = statusAt ?? lastSeenAt
  if (status !== undefined && statusAt !== undefined && status !== known.status) {
    const kind = status === 'online' ? 'connected' : 'disconnected'
    entries.push({ kind, at: statusAt, key: `${kind}:${Math.floor(statusAt.getTime() / minuteMs)}` })
  }
  const boot = bootOf(presence)
  // The first run that is known of a device is none that followed another.
  if (boot !== undefined && known.boot !== undefined && boot !== known.boot)
    entries.push({ kind: 'rebooted', at: presence.boot?.startedAt ?? at, details: { boot }, key: `rebooted:${boot}` })
  if (firmwareVersion !== undefined && firmwareVersion !== known.firmwareVersion) {
    const details = {
      to: firmwareVersion,
      ...(known.firmwareVersion === undefined ? {} : { from: known.firmwareVersion }),
    }
    const hour = Math.floor((at?.getTime() ?? 0) / hourMs)
    entries.push({ kind: 'firmware_changed', at, details, key: `firmware_changed:${firmwareVersion}:${hour}` })
  }
  return entries
}

function bootOf({ boot, run }: DevicePresence): string | undefined {
  return boot?.id ?? run?.boot
}

function knownOf({ document }: KnownDevice): Known {
  const { status, boot, run, firmwareVersion } = document
  return { status, boot: boot?.id ?? run?.boot, firmwareVersion }
}
