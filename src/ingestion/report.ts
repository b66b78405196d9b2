import type { QuarantineReason } from './quarantine.js'

/** Who a message says it is from: a MAC address inside it, or a device that the host has mapped its topic to. */
export type ReportedDevice = { readonly macAddress: string } | { readonly deviceId: string }

/** What shows that the message is from its device. */
export type Credential =
  /** The device's secret in clear. */
  | { readonly kind: 'secret'; readonly secret: string }
  /** HMAC-SHA256 with the device's secret. */
  | { readonly kind: 'signature'; readonly signed: Uint8Array; readonly signature: string }
  /** The broker's access control vouches for the topic. */
  | { readonly kind: 'broker' }
  /** Nothing does: the message may refresh when the device was last seen, and no more. */
  | { readonly kind: 'none' }

/** A device's own time of what it reports. */
export type DeviceTime =
  | { readonly kind: 'instant'; readonly ms: number }
  /** A local time without a zone; read in the zone of the device's site. */
  | { readonly kind: 'local'; readonly text: string }
  /** Milliseconds since the device started; wraps at 2^32. */
  | { readonly kind: 'uptime'; readonly ms: number }

interface ReportBase {
  readonly device: ReportedDevice
  readonly credential: Credential
  readonly time?: DeviceTime | undefined
  readonly boot?: string | undefined
  readonly sequence?: number | undefined
  /** The message's own identity, if it has one; unique within its device. */
  readonly messageId?: string | undefined
  readonly firmwareVersion?: string | undefined
  readonly vitals?: Vitals | undefined
}

/** How the device itself is, as far as it says so. */
export interface Vitals {
  readonly uptimeSeconds?: number | undefined
  /** dBm */
  readonly signalStrength?: number | undefined
  /** Bytes. */
  readonly freeHeap?: number | undefined
  readonly status?: string | undefined
}

/** The states of all relays at once. */
export interface SnapshotReport extends ReportBase {
  readonly kind: 'snapshot'
  readonly switches: readonly { readonly gpio: number; readonly on: boolean }[]
}

/** A relay was moved. */
export interface SwitchReport extends ReportBase {
  readonly kind: 'switch'
  readonly gpio: number
  readonly on: boolean
  readonly cause: 'backend' | 'manual' | 'schedule' | 'restore' | 'unknown'
  readonly userId?: string | undefined
  readonly userName?: string | undefined
}

/** A meter was read. */
export interface ReadingReport extends ReportBase {
  readonly kind: 'reading'
  readonly gpio: number
  readonly on?: boolean | undefined
  /** W; negative while producing. */
  readonly powerW?: number | undefined
  /** Wh; a counter. */
  readonly energyWh?: number | undefined
  /** V */
  readonly voltage?: number | undefined
  /** A */
  readonly current?: number | undefined
  readonly powerFactor?: number | undefined
  /** Hz */
  readonly frequency?: number | undefined
  /** °C */
  readonly temperature?: number | undefined
}

/** The device is alive. */
export interface HeartbeatReport extends ReportBase {
  readonly kind: 'heartbeat'
}

/** The device has come or gone, as its broker saw it. */
export interface StatusReport extends ReportBase {
  readonly kind: 'status'
  readonly online: boolean
}

/** What a device says, in whatever protocol it said it. */
export type DeviceReport = SnapshotReport | SwitchReport | ReadingReport | HeartbeatReport | StatusReport

/** What a decoder makes of a message: reports, possibly none, or why it cannot be used. */
export type Decoding =
  | { readonly reports: readonly DeviceReport[] }
  | { readonly reason: QuarantineReason; readonly detail: string; readonly macAddress?: string | undefined }

/** Understands one protocol. Pure: the same topic and payload always give the same reports. */
export interface Decoder {
  readonly name: string
  /** The MQTT topic filters of its messages. */
  readonly filters: readonly string[]
  /**
   * Where the order of messages comes from. `device`: each carries time, boot and sequence, so that several ingesters may
   * share the topics. `arrival`: there is no other order, so one ingester at a time takes them.
   */
  readonly order: 'device' | 'arrival'
  decode(topic: string, payload: Uint8Array): Decoding
}
