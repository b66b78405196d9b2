import { connect, connectAsync } from 'mqtt'
import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.js'
import { startMosquitto } from '../../support/mosquitto.js'

const session = { clientId: 'listener', clean: false }

it('keeps sessions and their queue over a restart', async () => {
  const mosquitto = await startMosquitto()
  const listener = await connectAsync(mosquitto.url, session)
  await listener.subscribeAsync('news', { qos: 1 })
  await listener.endAsync()
  const speaker = await connectAsync(mosquitto.url)
  const count = 3_000 // more than mosquitto queues by default
  for (let number = 1; number <= count; number += 1) await speaker.publishAsync('news', String(number), { qos: 1 })
  await speaker.endAsync()

  const before = mosquitto.pid
  await mosquitto.restart()
  expect(mosquitto.pid).not.toBe(before)
  const again = connect(mosquitto.url, session)
  const heard: string[] = []
  again.on('message', (_, payload) => heard.push(String(payload)))
  await eventually('all are heard', () => heard.length === count)
  expect(heard.at(-1)).toBe(String(count))
  await again.endAsync()
})

it('says what mosquitto said where it does not start', async () => {
  await expect(startMosquitto({ config: ['no_such_setting 1'] })).rejects.toThrow(
    /mosquitto ended \(code [13], signal null\) before it listened:\n.*Unknown configuration variable/s,
  )
})
