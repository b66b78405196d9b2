import { ObjectId } from 'mongodb'
import { beforeEach, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { Contention } from '../../../src/ledger/append/contention.js'
import { WriterQueue } from '../../../src/ledger/append/writer-queue.js'
import { writerQueueEntity } from '../../../src/ledger/append/writer-queue-entity.js'
import { WriterTurns } from '../../../src/ledger/append/writer-turns.js'
import { setUpDatabase } from '../../support/database.js'
import { eventually } from '../../support/eventually.js'
import { openVolt } from '../../support/volt.js'

const database = setUpDatabase()
const inAMinute = () => performance.now() + 60_000
const newChain = () => new ObjectId().toHexString()
const places = () => database.db.collection('ledger_writer_queue').countDocuments()
let volt: AutoVolt

/** A writer, as each process has one. */
function aWriter() {
  const contention = new Contention()
  return {
    contention,
    turns: new WriterTurns(volt.database, new WriterQueue(volt.database, writerQueueEntity), contention),
  }
}

beforeEach(async () => {
  volt = await openVolt(database)
  await volt.setup()
  await database.db.collection('ledger_writer_queue').deleteMany({})
})

describe('writers of the same chain', () => {
  it('have their turns one at a time, in the order in which they asked', async () => {
    const chain = newChain()
    const order: number[] = []
    let writing = 0
    const first = await aWriter().turns.enter([chain], inAMinute())
    const others: Promise<void>[] = []
    for (let number = 1; number <= 4; number += 1) {
      const entered = aWriter().turns.enter([chain], inAMinute())
      others.push(
        entered.then(async ({ leave }) => {
          order.push(number)
          writing += 1
          expect(writing).toBe(1)
          await places()
          writing -= 1
          leave()
        }),
      )
      await eventually('it is in the queue', async () => (await places()) === number + 1)
    }
    expect(order).toEqual([])
    first.leave()
    await Promise.all(others)
    expect(order).toEqual([1, 2, 3, 4])
    await eventually('the queue is empty', async () => (await places()) === 0)
  })

  it('learn that others wait, and for which chains', async () => {
    const [shared, own] = [newChain(), newChain()]
    const { leave } = await aWriter().turns.enter([shared, newChain()], inAMinute())
    const other = aWriter()
    await other.turns.look([shared, own])
    expect([...other.contention.chains]).toEqual([shared])
    leave()
  })

  it('give up at their deadline, with an error that is worth another try', async () => {
    const chain = newChain()
    const { leave } = await aWriter().turns.enter([chain], inAMinute())
    const late = aWriter().turns.enter([chain], performance.now() + 50)
    await expect(late).rejects.toMatchObject({ code: 'CONTENTION', retryable: true })
    leave()
    await eventually('the queue is empty', async () => (await places()) === 0)
  })

  it('leave the queue before their handle is closed, whether it is their turn or not', async () => {
    const chain = newChain()
    const { leave } = await aWriter().turns.enter([chain], inAMinute())
    const other = await openVolt(database)
    const queue = new WriterQueue(other.database, writerQueueEntity)
    const waiting = new WriterTurns(other.database, queue, new Contention()).enter([chain], inAMinute())
    const holding = await new WriterTurns(other.database, queue, new Contention()).enter([newChain()], inAMinute())
    await eventually('both are in the queue', async () => (await places()) === 3)
    const refused = expect(waiting).rejects.toMatchObject({ code: 'CLOSED' })
    await other.close()
    await refused
    expect(await places()).toBe(1)
    holding.leave()
    leave()
  })

  it('wait for no writer that was killed', async () => {
    const chain = newChain()
    await new WriterQueue(volt.database, writerQueueEntity).join(new ObjectId(), [new ObjectId(chain)])
    const { leave } = await aWriter().turns.enter([chain], inAMinute())
    leave()
  })

  it('give up their turn when they are closed', async () => {
    const chain = newChain()
    const closed = await openVolt(database)
    const queue = new WriterQueue(closed.database, writerQueueEntity)
    await new WriterTurns(closed.database, queue, new Contention()).enter([chain], inAMinute())
    await closed.close()
    await (await aWriter().turns.enter([chain], inAMinute())).leave()
  })
})

describe('a writer', () => {
  it('has one turn for all that waits in it, and reads its chains anew', async () => {
    const [a, b] = [newChain(), newChain()]
    const { turns } = aWriter()
    const [one, two] = await Promise.all([turns.enter([a], inAMinute()), turns.enter([b], inAMinute())])
    expect([one.unread, two.unread]).toEqual([[a], [b]])
    expect(await places()).toBe(1)
    for (const { leave } of [one, two]) leave()
  })

  it('waits for no writer of other chains', async () => {
    const one = await aWriter().turns.enter([newChain()], inAMinute())
    const other = await aWriter().turns.enter([newChain()], inAMinute())
    for (const { leave } of [one, other]) leave()
  })
})
