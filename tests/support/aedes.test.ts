import { connect, connectAsync } from 'mqtt'
import { expect, it } from 'vitest'
import { startAedes } from './aedes.js'

it('keeps the queue of a session while it is offline', async () => {
  const broker = await startAedes()
  const options = { clientId: 'listener', clean: false, reconnectPeriod: 50 }
  const listener = await connectAsync(broker.url, options)
  await listener.subscribeAsync('news', { qos: 1 })
  await listener.endAsync()
  const speaker = await connectAsync(broker.url)
  await speaker.publishAsync('news', 'hello', { qos: 1 })
  await speaker.endAsync()

  await broker.goOffline()
  await expect(connectAsync(broker.url, { reconnectPeriod: 0 }, false)).rejects.toThrow()
  await broker.goOnline()
  const again = connect(broker.url, options)
  const heard = await new Promise((resolve) => {
    again.once('message', (topic, payload) => resolve([topic, String(payload)]))
  })
  expect(heard).toEqual(['news', 'hello'])
  await again.endAsync()
})
