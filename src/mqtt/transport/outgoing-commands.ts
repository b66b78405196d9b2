import type { DeviceCommand } from '../../commands/command.js'
import type { Device } from '../../devices/device.js'
import { type OutgoingMessage, signedMessage, v2Topic } from './signed-message.js'

/**
 * A command for the deployed firmware: every device receives it, and the one with this address and secret acts. At QoS 0,
 * because the firmware looks at no time: a broker that kept it would move the relay hours later.
 * @returns undefined for what the firmware does not know.
 */
export function deployedCommand(
  prefix: string,
  command: DeviceCommand,
  { macAddress: mac }: Device,
  secret: string,
): OutgoingMessage | undefined {
  const { gpio, state } = command
  if (gpio === undefined || state === undefined) return undefined
  const payload = JSON.stringify({ mac, secret, gpio, state, ...requesterOf(command) })
  return { topic: `${prefix}/switches`, payload, qos: 0 }
}

/** A command of version 2. Sent again it has the same id, and the time of now: a device that has obeyed it knows it. */
export function v2Command(
  prefix: string,
  command: DeviceCommand,
  device: Device,
  secret: string,
  timeMs: number,
): OutgoingMessage {
  const { _id, gpio, state, command: name, parameters } = command
  const order =
    state === undefined ? { ...(gpio !== undefined && { gpio }), command: name, parameters } : { gpio, state }
  const message = { id: _id.toHexString(), time: timeMs, ...order, ...requesterOf(command) }
  return signedMessage(v2Topic(prefix, device, 'command'), secret, message)
}

function requesterOf({ requester = {} }: DeviceCommand) {
  return {
    ...(requester.user !== undefined && { userId: requester.user.toHexString() }),
    ...(requester.name !== undefined && { userName: requester.name }),
  }
}

/** The pins for the deployed firmware, which knows no other configuration. */
export function deployedConfig(prefix: string, device: Device, secret: string): OutgoingMessage {
  const payload = JSON.stringify({ mac: device.macAddress, secret, switches: pinsOf(device) })
  return { topic: `${prefix}/config`, payload, qos: 1 }
}

/** Pins and configuration of version 2, without the Wi-Fi: a wrong one would cut the device off. */
export function v2Config(prefix: string, device: Device, secret: string, timeMs: number): OutgoingMessage {
  const { wifi, mqttTopic, ...config } = device.config ?? {}
  const message = { time: timeMs, switches: pinsOf(device), ...(device.config !== undefined && { config }) }
  return signedMessage(v2Topic(prefix, device, 'config'), secret, message)
}

function pinsOf({ switches }: Device) {
  return switches
    .filter(({ type, energySource }) => type !== 'meter' && energySource === 'rated')
    .map(({ gpio, manualGpio, manualMode }) => ({
      gpio,
      ...(manualGpio !== undefined && { manualGpio }),
      ...(manualMode !== undefined && { manualMode }),
    }))
}
