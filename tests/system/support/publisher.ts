import mqtt from 'mqtt'

export interface OutgoingMessage {
  readonly topic: string
  readonly payload: string
}

/** Publishes the messages at QoS 1 in their order, many at a time, and waits until the broker has all of them. */
export async function publishAll(url: string, messages: Iterable<OutgoingMessage>): Promise<void> {
  const client = await mqtt.connectAsync(url)
  const iterator = messages[Symbol.iterator]()
  const publisher = async () => {
    for (let next = iterator.next(); !next.done; next = iterator.next()) {
      await client.publishAsync(next.value.topic, next.value.payload, { qos: 1 })
    }
  }
  await Promise.all(Array.from({ length: 200 }, publisher))
  await client.endAsync()
}
