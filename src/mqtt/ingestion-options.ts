import type { IClientOptions } from 'mqtt'
import type { AutoVolt } from '../autovolt.js'
import type { QuarantineLimits } from '../ingestion/quarantine-space.js'
import type { Decoder } from '../ingestion/report.js'

export interface IngestionOptions {
  /** The broker: `mqtt://`, `mqtts://`, `ws://` or `wss://`. */
  readonly url: string
  /** Further options of mqtt.js, such as `username`, `password`, `ca`, `keepalive`. */
  readonly client?: IClientOptions
  /**
   * How long the first connection is tried for, ms. Once it has been made, a lost connection is tried again for ever.
   * @default 30_000
   */
  readonly connectTimeoutMs?: number
  /** Names this deployment at the broker and in the database: its sessions and leases. @default 'autovolt' */
  readonly name?: string
  /**
   * Names this ingester among several that share topics; each needs its own. Of two with one name the second stands by.
   * @default 'main'
   */
  readonly instance?: string
  /** The group in which several ingesters share the topics that carry their own order; the broker must know `$share`. */
  readonly sharedSubscription?: string
  /** The protocols that are understood. @default the deployed firmware and version 2, with their defaults */
  readonly decoders?: readonly Decoder[]
  /** Device times before this one are not believed. @default 2020-01-01 */
  readonly earliestCredibleTime?: Date
  /**
   * Whether readings also go to `energy_measurements`, for raw values by time; docs/measurements.md says what it costs. Those
   * that the ledger gets only as registers always go there. @default false
   */
  readonly measurements?: boolean
  /** Whether heartbeats, status and values of sensors go to `telemetry_events`. @default false */
  readonly telemetry?: boolean
  /** How long and how many unusable messages are kept, and what they may take. @default 30 days, 100,000, 256 MiB */
  readonly quarantine?: Partial<QuarantineLimits>
}

/**
 * What ingestion needs of a handle, whatever its entities are extended with. (To compare whole handles would cost a
 * consumer's type checker seconds.)
 */
export type IngestionHandle = Pick<AutoVolt, 'database' | 'ingestion' | 'entityOf'>
