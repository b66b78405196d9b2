import type { LoadKind } from './load-curves.js'
import type { MeterTrouble } from './troubles.js'

/** A relay or meter as the installer noted it. */
export interface SwitchPlan {
  readonly name: string
  readonly gpio: number
  /** `meter` for one that only measures. */
  readonly type: 'light' | 'fan' | 'projector' | 'socket' | 'meter'
  /** W */
  readonly powerRating: number
  /** How its energy is known; from the rating if left out. */
  readonly energySource?: 'counter' | 'power'
  /** Wh; the smallest step of its counter. */
  readonly counterQuantumWh?: number
  /** What hangs on it, where it is measured. */
  readonly load?: LoadKind
}

interface Installed {
  readonly name: string
  readonly room: string
  readonly macAddress: string
  readonly secret: string
  readonly reportingPeriodMs: number
  readonly switches: readonly SwitchPlan[]
}

/** A device with the firmware that is deployed. */
export interface DeployedPlan extends Installed {
  readonly protocol: 'deployed'
  /** Bytes of the buffers that messages are printed into. */
  readonly buffers: { readonly state: number; readonly event: number; readonly heartbeat: number }
  /** Bytes of the JSON document that events are put together in. */
  readonly documentBytes: number
  /** How long it has been running at the start. */
  readonly uptimeMs: number
}

/** A device with version 2 of the protocol. */
export interface V2Plan extends Installed {
  readonly protocol: 'v2'
  readonly firmware: string
  /** Bytes of free heap, about. */
  readonly freeHeapBytes: number
  /** How it writes the time. */
  readonly timeFormat: 'epoch' | 'iso'
}

export type DevicePlan = DeployedPlan | V2Plan

/** A simulated device, as the rest of the world can act on it. */
export interface SimulatedDevice {
  readonly plan: DevicePlan
  start(): void
  stop(): Promise<void>
  /** Somebody presses a switch on the wall. */
  press(gpio: number): void
  /** The connection breaks; the device has it again in a moment. */
  cutConnection(): void
  /** The Wi-Fi is gone for a while. */
  loseConnection(forMs: number): void
  /** The power is gone for a moment. */
  reboot(): void
  /** Something is wrong with what a channel measures; a device without meters does not mind. */
  disturb(gpio: number, trouble: MeterTrouble, forMs: number): void
}
