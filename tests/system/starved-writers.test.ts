import { randomUUID } from 'node:crypto'
import { AutoVolt } from '@autovolt/data'
import { ObjectId } from 'mongodb'
import { beforeEach, describe, expect, inject, it } from 'vitest'
import { type Child, startChild } from '../support/child.js'
import { cleanUpLater } from '../support/clean-up.js'
import { eventually } from '../support/eventually.js'
import { full } from '../support/extent.js'

const uri = inject('mongodbUri')
const greedyWriters = 3
const appends = full ? 200 : 12

let volt: AutoVolt
let dbName: string
const switchId = new ObjectId()

beforeEach(async () => {
  dbName = `starved_${randomUUID().slice(0, 13)}`
  volt = await AutoVolt.open({ uri, dbName })
  cleanUpLater(async () => {
    await volt.database.native.dropDatabase()
    await volt.close()
  })
  await volt.setup()
})

function start(name: string, pace: 'greedy' | 'slow'): Child {
  return startChild(new URL('./support/chain-hand.ts', import.meta.url), {
    args: [name, pace],
    env: { MONGODB_URI: uri, DB_NAME: dbName, SWITCH_ID: switchId.toHexString() },
  })
}

const appendsOf = ({ messages }: Child) => messages.filter(({ type }) => type === 'appended').length

describe('a writer that is slower than the others of its chain', () => {
  it('appends as well while these append without a pause, and so does each of them', async () => {
    const greedy = Array.from({ length: greedyWriters }, (_, number) => start(`greedy ${number}`, 'greedy'))
    await Promise.all(greedy.map((writer) => writer.next('appended', 60_000)))
    const slow = start('slow', 'slow')
    const writers = [slow, ...greedy]
    const progress = () => writers.map((writer) => appendsOf(writer))
    await eventually('everybody has appended', () => progress().every((count) => count >= appends), {
      timeoutMs: 600_000,
    })
    for (const writer of writers) writer.send({ type: 'end' })
    for (const writer of writers) expect(await writer.exit, writer.output).toMatchObject({ code: 0 })
    expect(await volt.ledger.verify({ switchIds: [switchId] })).toMatchObject({
      valid: true,
      chains: 1,
      entries: 20 * progress().reduce((sum, count) => sum + count, 0),
    })
  })
})
