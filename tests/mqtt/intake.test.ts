import { expect, it } from 'vitest'
import { DatabaseError } from '../../src/core/errors.js'
import { Intake, type ReceivedMessage } from '../../src/mqtt/intake.js'
import { eventually } from '../support/eventually.js'

let serial = 0
function message(bytes = 1): ReceivedMessage {
  serial += 1
  return {
    topic: '',
    payload: Buffer.alloc(bytes),
    receivedAt: new Date(serial),
    digest: '',
    delivery: undefined,
    waitingSinceMs: serial,
    connection: {},
    packetId: serial,
  }
}

type Batch = readonly ReceivedMessage[]
const idsOf = (batch: Batch) => batch.map(({ packetId }) => packetId)

/** An intake whose batches end when they are told to. */
function openIntake({ concurrency = 2, batchSize = 10 } = {}) {
  const running: { batch: Batch; succeed: () => void; fail: (error: Error) => void }[] = []
  const finished: { ids: unknown[]; isDurable: boolean }[] = []
  const failures: unknown[] = []
  const intake = new Intake({
    concurrency,
    batchSize,
    process: (batch) =>
      new Promise((resolve, reject) => {
        running.push({ batch, succeed: resolve, fail: reject })
      }),
    finished: (batch, isDurable) => void finished.push({ ids: idsOf(batch), isDurable }),
    failed: (error) => void failures.push(error),
  })
  return { intake, running, finished, failures }
}

it('lets batches overlap, and ends them in the order of receipt', async () => {
  const { intake, running, finished } = openIntake()
  const messages = Array.from({ length: 25 }, () => message())
  for (const one of messages) intake.offer(one, () => undefined)
  await eventually('two are running', () => running.length === 2)
  expect(running.map(({ batch }) => batch.length)).toEqual([10, 10])
  expect(intake.pending).toBe(25)
  running[1]?.succeed()
  // The second is done, and waits for the first.
  await new Promise((resolve) => setImmediate(resolve))
  expect(finished).toEqual([])
  running[0]?.succeed()
  await eventually('the third is running', () => running.length === 3)
  running[2]?.succeed()
  await eventually('all are finished', () => finished.length === 3)
  expect(finished.flatMap(({ ids }) => ids)).toEqual(idsOf(messages))
  expect(intake.isIdle).toBe(true)
})

it('tries a batch again until it is durable', async () => {
  const { intake, running, finished, failures } = openIntake()
  intake.offer(message(), () => undefined)
  for (let attempt = 0; attempt < 3; attempt += 1) {
    await eventually('it is tried', () => running.length === attempt + 1)
    expect(intake.pending).toBe(1)
    if (attempt < 2) running[attempt]?.fail(new DatabaseError('CONNECTION', 'gone'))
    else running[attempt]?.succeed()
  }
  await eventually('it is finished', () => finished.length === 1)
  expect(finished[0]?.isDurable).toBe(true)
  expect(failures).toHaveLength(2)
})

it('gives a batch up whose session is another process’s', async () => {
  const { intake, running, finished } = openIntake()
  intake.offer(message(), () => undefined)
  await eventually('it is tried', () => running.length === 1)
  running[0]?.fail(new DatabaseError('LEASE_LOST', 'gone'))
  await eventually('it is finished', () => finished.length === 1)
  expect(finished[0]?.isDurable).toBe(false)
  expect(running).toHaveLength(1)
})

it.each([
  ['8,000 messages', 8_000, 1],
  ['32 MiB', 32, 1024 * 1024],
])('lets in %s and no more, until half of that is durable', async (_, count, bytes) => {
  const { intake, running } = openIntake({ concurrency: 1, batchSize: Math.ceil(count / 4) })
  let letIn = 0
  const next = () => {
    letIn += 1
  }
  for (let n = 0; n < count; n += 1) expect(intake.offer(message(bytes), next)).toBe(true)
  expect(intake.offer(message(bytes), next)).toBe(false)
  expect([letIn, intake.isHolding, intake.isIdle]).toEqual([count, true, false])
  for (let batch = 1; batch <= 3; batch += 1) {
    await eventually('it is tried', () => running.length === batch)
    expect(letIn).toBe(count)
    running[batch - 1]?.succeed()
  }
  await eventually('the one that waited is let in', () => letIn === count + 1)
  expect(intake.isHolding).toBe(false)
})

it('lets in a message that is larger than all there is room for, alone', () => {
  const { intake } = openIntake()
  expect(intake.offer(message(33 * 1024 * 1024), () => undefined)).toBe(true)
  expect(intake.offer(message(), () => undefined)).toBe(false)
})

it('forgets the message that waited for room when its connection is gone', async () => {
  const { intake, running, finished } = openIntake({ concurrency: 1 })
  const held = message()
  intake.offer(message(33 * 1024 * 1024), () => undefined)
  intake.offer(held, () => expect.unreachable())
  intake.dropHeld()
  await eventually('it is tried', () => running.length === 1)
  running[0]?.succeed()
  await eventually('it is finished', () => intake.isIdle)
  expect(finished.flatMap(({ ids }) => ids)).not.toContain(held.packetId)
})

it('finishes what is running at the end, and nothing else', async () => {
  const { intake, running, finished } = openIntake({ concurrency: 1, batchSize: 1 })
  const [first, second] = [message(), message()]
  intake.offer(first, () => undefined)
  intake.offer(second, () => undefined)
  await eventually('it is tried', () => running.length === 1)
  const ended = intake.end(60_000)
  expect(intake.offer(message(), () => expect.unreachable())).toBe(false)
  running[0]?.succeed()
  await ended
  expect(finished).toEqual([{ ids: [first.packetId], isDurable: true }])
  expect(running).toHaveLength(1)
})

it('does not wait at the end for a batch that fails, nor for ever for one that hangs', async () => {
  const failing = openIntake()
  failing.intake.offer(message(), () => undefined)
  await eventually('it is tried', () => failing.running.length === 1)
  const ended = failing.intake.end(60_000)
  failing.running[0]?.fail(new Error('gone'))
  await ended
  expect(failing.finished).toMatchObject([{ isDurable: false }])

  const hanging = openIntake()
  hanging.intake.offer(message(), () => undefined)
  await eventually('it is tried', () => hanging.running.length === 1)
  await hanging.intake.end(20)
  expect(hanging.finished).toEqual([])
})

it('knows how long the oldest message has been here', async () => {
  const { intake, running } = openIntake({ concurrency: 1, batchSize: 1 })
  expect(intake.lagMs(1_000_000)).toBe(0)
  const [first, second] = [message(), message()]
  intake.offer(first, () => undefined)
  intake.offer(second, () => undefined)
  await eventually('it is tried', () => running.length === 1)
  expect(intake.lagMs(first.receivedAt.getTime() + 500)).toBe(500)
  running[0]?.succeed()
  await eventually('the other is tried', () => running.length === 2)
  expect(intake.lagMs(second.receivedAt.getTime() + 500)).toBe(500)
})
