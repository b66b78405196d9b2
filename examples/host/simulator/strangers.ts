import type { MqttClient } from 'mqtt'
import type { DevicePlan } from './plan.js'
import type { Random } from './random.js'
import type { Timers } from './timers.js'

/** Messages that nobody should believe: a wrong secret, a meter that reads nonsense, no JSON at all. */
export function startStrangers(
  client: MqttClient,
  devices: readonly DevicePlan[],
  random: Random,
  timers: Timers,
): void {
  const publish = (topic: string, payload: string) => void client.publish(topic, payload, { qos: 1 }, () => undefined)
  const impostor = () => {
    const { macAddress, switches } = random.pick(devices.filter(({ protocol }) => protocol === 'deployed'))
    const states = switches.map(({ gpio }) => ({ gpio, state: random.chance(0.5), manual_override: false }))
    publish('esp32/state', JSON.stringify({ mac: macAddress, secret: random.text(24), switches: states }))
  }
  const noise = () => publish('esp32/telemetry', random.pick(['hello?', `${random.text(12)}\u0000\u0001`, '[1,2,3]']))
  const forger = () => {
    const { macAddress } = random.pick(devices.filter(({ protocol }) => protocol === 'v2'))
    const topic = `autovolt/v2/${macAddress.replaceAll(':', '').toLowerCase()}/power`
    publish(topic, JSON.stringify({ id: `x-${random.integer(1, 1e6)}`, boot: 'x', seq: 1, gpio: 0, powerW: 1 }))
  }
  timers.after(4_000, impostor)
  timers.repeat(
    () => random.between(20_000, 45_000),
    () => random.pick([impostor, noise, forger])(),
  )
}
