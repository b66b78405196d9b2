import type { QuarantineReason } from './quarantine.js'

/** Who a message says it is from: a MAC address inside it, or a device that the host has mapped its topic to. */
export type ReportedDevice = { readonly macAddress: string } | { readonly deviceId: string }

/** Credential: what shows that the message is from its device. */
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
  /** The number of the device's run, which grows with each start. */
  readonly run?: number | undefined
  /** The message's own identity, if it has one; unique within its device. */
  readonly messageId?: string | undefined
  readonly firmwareVersion?: string | undefined
  readonly vitals?: Vitals | undefined
  /** Values that the message has and that cannot be used, by their names here; filled in where reports enter. */
  readonly leftOut?: readonly string[] | undefined
}

/** Vitals: how the device itself is, as far as it says so. */
export interface Vitals {
  readonly uptimeSeconds?: number | undefined
  /** dBm */
  readonly signalStrength?: number | undefined
  /** Bytes. */
  readonly freeHeap?: number | undefined
  /** °C */
  readonly temperature?: number | undefined
  /** Percent. */
  readonly humidity?: number | undefined
  readonly status?: string | undefined
}

/** The states of all relays at once. */
export interface SnapshotReport extends ReportBase {
  readonly kind: 'snapshot'
  readonly switches: readonly Relay[]
  /** The places in the device's list of relays that cannot be used; filled in where reports enter. */
  readonly unusableSwitches?: readonly number[] | undefined
}

export interface Relay {
  readonly gpio: number
  readonly on: boolean
  /** Whether the wall switch has the last word, where the device says so. */
  readonly manualOverride?: boolean | undefined
}

/** A relay was moved. */
export interface SwitchReport extends ReportBase {
  readonly kind: 'switch'
  readonly gpio: number
  readonly on: boolean
  readonly cause: 'backend' | 'manual' | 'schedule' | 'restore' | 'unknown'
  readonly userId?: string | undefined
  readonly userName?: string | undefined
  /** The id of the command that this answers, where the protocol names it. */
  readonly command?: string | undefined
}

/** A device does not do what it was commanded. */
export interface RefusalReport extends ReportBase {
  readonly kind: 'refusal'
  /** The id of the command. */
  readonly command: string
  /** Why, in the device's words. */
  readonly detail?: string | undefined
}

/** A device could not install a firmware that it was offered. */
export interface InstallFailureReport extends ReportBase {
  readonly kind: 'install_failure'
  /** The id of the roll-out. */
  readonly rollout: string
  /** Why, in the device's words. */
  readonly detail?: string | undefined
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
  /** The number of the device's connection in its run, which grows with each; that of a last will is the one that was lost. */
  readonly connection?: number | undefined
}

/** Device report: what a device says, in whatever protocol it said it. */
export type DeviceReport =
  | SnapshotReport
  | SwitchReport
  | RefusalReport
  | InstallFailureReport
  | ReadingReport
  | HeartbeatReport
  | StatusReport

type OrNull<Report> = {
  readonly [Key in keyof Report]: undefined extends Report[Key] ? Report[Key] | null : Report[Key]
}
/** A report whose members may be null, which is "not reported", and some of them anything that stood in the message. */
type Given<Report, Unchecked extends keyof Report> = OrNull<
  Omit<Report, Unchecked | 'leftOut' | 'unusableSwitches'>
> & {
  readonly [Key in Unchecked]?: unknown
}

/** The time may also be a number, which is epoch milliseconds, or a text of RFC 3339, with a zone or without. */
type SideValue = 'time' | 'sequence' | 'run' | 'firmwareVersion' | 'vitals'
type MovedBy = 'cause' | 'userId' | 'userName' | 'command'
type MeasuredValue = 'on' | 'powerW' | 'energyWh' | 'voltage' | 'current' | 'powerFactor' | 'frequency' | 'temperature'

/**
 * A report as a decoder gives it. Values that are beside the point of the message need no check by the decoder: where
 * reports enter, those that cannot be used are left out, and the report stays.
 */
export type GivenReport =
  | Given<SnapshotReport, SideValue | 'switches'>
  | Given<SwitchReport, SideValue | MovedBy>
  | Given<RefusalReport, SideValue | 'detail'>
  | Given<InstallFailureReport, SideValue | 'detail'>
  | Given<ReadingReport, SideValue | MeasuredValue>
  | Given<HeartbeatReport, SideValue>
  | Given<StatusReport, SideValue | 'connection'>

/** Why a message cannot be used, and whose it seems to be. */
export interface Unusable {
  readonly reason: QuarantineReason
  /** What exactly is wrong; without any value of the message. */
  readonly detail: string
  readonly macAddress?: string | undefined
}

/** What a decoder makes of a message: reports, possibly none, or why it cannot be used. */
export type Decoding = { readonly reports: readonly GivenReport[] } | Unusable

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
