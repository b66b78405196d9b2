import { setTimeout } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.js'
import { DatabaseError } from '../../src/core/errors.js'
import { silentLogger } from '../../src/core/logger.js'
import { MqttSession, type ReceivedMessage, type SessionOptions } from '../../src/mqtt/session.js'
import { cleanUpLater } from '../support/clean-up.js'
import { eventually } from '../support/eventually.js'
import { publish, type RawBroker, startRawBroker } from './support/raw-broker.js'

/** A session whose messages are kept as they come. */
async function openSession(broker: RawBroker, more: Partial<SessionOptions> = {}, connectLimitMs = 10_000) {
  const received: ReceivedMessage[] = []
  const session = new MqttSession({
    url: broker.url,
    clientId: 'session',
    filters: ['t'],
    client: { reconnectPeriod: 20 },
    concurrency: 1,
    needsDigests: true,
    heardUntil: undefined,
    clock: systemClock,
    logger: silentLogger,
    process: async (batch) => void received.push(...batch),
    ...more,
  })
  cleanUpLater(() => session.stop())
  await session.open()
  await session.connected(connectLimitMs)
  return { session, received }
}

const connectionOf = (broker: RawBroker, at: number) =>
  eventually(`connection ${at} is there`, () => broker.connections[at])

it('acknowledges what comes in one piece with the broker’s greeting', async () => {
  const broker = await startRawBroker()
  broker.greeting = Buffer.concat([publish(1, 'a', { isRepeated: true }), publish(2, 'b')])
  const { session, received } = await openSession(broker)
  const connection = await connectionOf(broker, 0)
  await eventually('both are acknowledged', () => connection.acknowledged.length === 2)
  expect(connection.acknowledged).toEqual([1, 2])
  expect(received.map(({ payload, delivery }) => [String(payload), delivery?.isRepeated])).toEqual([
    ['a', true],
    ['b', false],
  ])
  expect(session).toMatchObject({ received: 2, acknowledged: 2, retries: 0, pending: 0 })
})

it('acknowledges a message only on the connection that it came by', async () => {
  const broker = await startRawBroker()
  let release: () => void = () => undefined
  const untilReleased = new Promise<void>((resolve) => {
    release = resolve
  })
  const taken: string[] = []
  const { session } = await openSession(broker, {
    process: async (batch) => {
      taken.push(...batch.map(({ payload }) => String(payload)))
      await untilReleased
    },
  })
  const first = await connectionOf(broker, 0)
  first.send(publish(1, 'a'))
  await eventually('it is taken', () => taken.length === 1)
  first.cut()
  const second = await connectionOf(broker, 1)
  await eventually('it is connected again', () => session.isConnected)
  release()
  await eventually('nothing is pending', () => session.pending === 0)
  // On this connection the number is another message's.
  second.send(publish(2, 'b'))
  await eventually('the other is acknowledged', () => second.acknowledged.length > 0)
  expect(second.acknowledged).toEqual([2])
  second.send(publish(1, 'a', { isRepeated: true }))
  await eventually('the repetition is acknowledged', () => second.acknowledged.length === 2)
  expect(second.acknowledged).toEqual([2, 1])
})

it('takes messages for held up until the broker shows that none waits any more', async () => {
  const broker = await startRawBroker()
  const heardUntil = new Date(Date.now() - 3_600_000)
  // It answers the first ping only after two more messages, the second after one, the third at once.
  broker.beforePong.push(Buffer.concat([publish(1, 'a'), publish(2, 'b')]), publish(3, 'c'))
  const { received } = await openSession(broker, { heardUntil })
  await eventually('all three are there', () => received.length === 3)
  expect(received.map(({ waitingSinceMs }) => waitingSinceMs)).toEqual(Array(3).fill(heardUntil.getTime()))
  const connection = await connectionOf(broker, 0)
  let packetId = 3
  await eventually('messages come as they are sent', async () => {
    packetId += 1
    connection.send(publish(packetId, 'd'))
    await eventually('it is taken', () => received.length === packetId)
    const last = received.at(-1)
    return last !== undefined && last.waitingSinceMs === last.receivedAt.getTime()
  })
  const cutAt = Date.now()
  connection.cut()
  const second = await connectionOf(broker, 1)
  second.send(publish(200, 'e'))
  await eventually('it is taken', () => received.at(-1)?.packetId === 200)
  expect(received.at(-1)?.waitingSinceMs).toBeGreaterThanOrEqual(cutAt)
})

it('finishes what it has taken when it is stopped, and says goodbye', async () => {
  const broker = await startRawBroker()
  const { session } = await openSession(broker)
  const connection = await connectionOf(broker, 0)
  connection.send(Buffer.concat([publish(1, 'a'), publish(2, 'b')]))
  await eventually('they are taken', () => session.received === 2)
  await session.stop()
  await eventually('they are acknowledged', () => connection.acknowledged.length === 2)
  await session.stop()
  expect(session.isConnected).toBe(false)
})

it('tells when a batch was given up', async () => {
  const broker = await startRawBroker()
  let lost = 0
  await openSession(broker, {
    process: () => Promise.reject(new DatabaseError('LEASE_LOST', 'gone')),
    onLost: () => {
      lost += 1
    },
  })
  const connection = await connectionOf(broker, 0)
  connection.send(publish(1, 'a'))
  await eventually('it is told', () => lost === 1)
  expect(connection.acknowledged).toEqual([])
})

it('waits for a broker that has accepted it as long as that has messages for it', async () => {
  const broker = await startRawBroker()
  let release: () => void = () => undefined
  broker.untilSuback = new Promise<void>((resolve) => {
    release = resolve
  })
  // Longer in all than the limit, which a loaded machine does not reach between two of them.
  const opening = openSession(broker, {}, 8_000)
  const connection = await connectionOf(broker, 0)
  for (let packetId = 1; packetId <= 10; packetId += 1) {
    connection.send(publish(packetId, 'backlog'))
    await setTimeout(1_000)
  }
  release()
  const { session } = await opening
  await eventually('all are acknowledged', () => connection.acknowledged.length === 10)
  expect(session).toMatchObject({ received: 10, lastFault: null })
})

it('does not wait for a broker that has accepted it and says nothing more', async () => {
  const broker = await startRawBroker()
  broker.untilSuback = new Promise(() => undefined)
  await expect(openSession(broker, {}, 200)).rejects.toMatchObject({ code: 'CONNECTION', retryable: true })
})
