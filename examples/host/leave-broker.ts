import { connectAsync, type MqttClient } from 'mqtt'
import { deployedStatusTopic } from './simulator/deployed-device.js'
import type { DevicePlan } from './simulator/plan.js'
import { v2Topic } from './simulator/v2-message.js'

/**
 * Takes from a broker that is kept what only this example needed: the retained status of devices that do not exist, and
 * sessions that would gather messages for nobody. A service leaves its sessions there, so that it misses nothing.
 */
export async function leaveBroker(
  client: MqttClient,
  url: string,
  devices: readonly DevicePlan[],
  sessions: readonly string[],
): Promise<void> {
  for (const { macAddress } of devices) {
    const topics = [deployedStatusTopic.replace('{mac}', macAddress), v2Topic(macAddress, 'status')]
    for (const topic of topics) await client.publishAsync(topic, '', { qos: 1, retain: true })
  }
  for (const clientId of sessions) {
    const ending = await connectAsync(url, { clientId, clean: true, protocolVersion: 4 }, false)
    await ending.endAsync()
  }
}
