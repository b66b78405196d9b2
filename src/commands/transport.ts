import type { Device } from '../devices/device.js'
import type { DeviceCommand } from './command.js'

/** What a transport made of a command. */
export type SendResult =
  /** It is on its way; the device's answer comes by another road, such as ingestion. */
  | { readonly kind: 'published' }
  /** The device has it and will act; its answer comes later. */
  | { readonly kind: 'acknowledged' }
  /** The device has done it, and this is its answer. */
  | { readonly kind: 'succeeded'; readonly state?: boolean }
  /** The device says no. It is not asked again. */
  | { readonly kind: 'refused'; readonly detail: string }

/** Send permit: until when a command may be sent. A process that was frozen may find that its time is over. */
export interface SendPermit {
  /** Aborted when the time is over, for calls that take a signal. */
  readonly signal: AbortSignal
  /** Looks at the clock. To be asked right before the command leaves the process. */
  isValid(): boolean
}

/**
 * Transport: a road to devices. One that throws has sent nothing: the command is tried again later, until it expires. What it
 * cannot know (whether a device has got it) it leaves to the deadline.
 */
export interface Transport {
  /** For people, in logs and errors. */
  readonly name: string
  /** The protocols of the devices that it reaches, as `protocol` of the device has them. */
  readonly protocols: readonly string[]
  /** Whether there is any use in sending to the device now; a command to one that is not there stays in the queue. */
  isReachable(device: Device): boolean
  /** ms; how long the device has to answer once the command was sent. */
  answerWithinMs(device: Device): number
  /** ms; the least time between two commands to a device. */
  pauseMs(device: Device): number
  /** Sends it, unless the permit has ended: then it throws. */
  send(command: DeviceCommand, device: Device, permit: SendPermit): Promise<SendResult>
}

/** A permit that ends so long after an instant of the monotonic clock, or with a signal. */
export function permitUntil(endMs: number, ending?: AbortSignal): SendPermit {
  const timeout = AbortSignal.timeout(Math.max(0, Math.floor(endMs - performance.now())))
  const signal = ending === undefined ? timeout : AbortSignal.any([timeout, ending])
  // A timer of a process that was frozen is late.
  return { signal, isValid: () => !signal.aborted && performance.now() < endMs }
}
