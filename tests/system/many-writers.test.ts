import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { AutoVolt } from '@autovolt/data'
import { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, inject, it } from 'vitest'
import { type Child, startChild } from '../support/child.js'
import { cleanUpLater } from '../support/clean-up.js'
import { full } from '../support/extent.js'
import { chainCount, eventsOfCall, switchIdOf } from './support/appended-calls.js'
import { seededRandom } from './support/random.js'

const writers = 4
const calls = full ? 2000 : 100
const kills = full ? 40 : 6

const uri = inject('mongodbUri')
const dbName = `writers_${randomUUID().slice(0, 13)}`
let volt: AutoVolt

beforeAll(async () => {
  volt = await AutoVolt.open({ uri, dbName })
  cleanUpLater(async () => {
    await volt.database.native.dropDatabase()
    await volt.close()
  })
  await volt.setup()
})

interface Stored {
  readonly type: 'stored'
  readonly call: number
  readonly hashes: readonly string[]
}

/** One writer, whose process is started again, from its first call without an answer, whenever it is killed. */
class Writer {
  /** The hashes that each call was answered with. */
  readonly answers = new Map<number, readonly string[]>()
  readonly #number: number
  #child: Child | undefined

  constructor(number: number) {
    this.#number = number
  }

  async run(): Promise<void> {
    for (;;) {
      const first = Array.from({ length: calls }, (_, call) => call).find((call) => !this.answers.has(call))
      const args = [this.#number, first ?? calls, calls].map(String)
      this.#child = startChild(new URL('./support/appender.ts', import.meta.url), {
        args,
        env: { MONGODB_URI: uri, DB_NAME: dbName },
      })
      const { code, signal } = await this.#child.exit
      // Messages that were on their way arrive before the end of the streams.
      await this.#child.next('finished').catch(() => undefined)
      this.#note(this.#child)
      if (code === 0) return
      if (signal !== 'SIGKILL') throw new Error(this.#child.output)
    }
  }

  /** Ends the process where it stands. @returns whether there was one at work. */
  async kill(): Promise<boolean> {
    const child = this.#child
    if (child === undefined || !child.messages.some(({ type }) => type === 'stored')) return false
    await child.kill()
    return true
  }

  #note(child: Child): void {
    for (const message of child.messages) {
      if (message.type !== 'stored') continue
      const { call, hashes } = message as unknown as Stored
      const known = this.answers.get(call)
      if (known !== undefined) expect(hashes).toEqual(known)
      this.answers.set(call, hashes)
    }
  }
}

describe('processes that append to the same chains', () => {
  it(`make no fork and no gap, lose no answered event and double none, when they are killed ${kills} times`, async () => {
    const seed = Date.now()
    const random = seededRandom(seed)
    const running = Array.from({ length: writers }, (_, number) => new Writer(number))
    let isOver = false
    const ends = Promise.all(running.map((writer) => writer.run())).finally(() => {
      isOver = true
    })
    let killed = 0
    while (killed < kills && !isOver) {
      await sleep(50 + random() * 250)
      if (await running[Math.floor(random() * writers)]?.kill()) killed += 1
    }
    await ends
    expect(killed, `kills with seed ${seed}`).toBeGreaterThan(0)

    const { ledger } = volt
    const report = await ledger.verify()
    expect(report).toMatchObject({ valid: true, chains: chainCount })
    const hashes = new Map<string, string>()
    for (let chain = 0; chain < chainCount; chain += 1) {
      let [sequence, previousHash] = [0, '0'.repeat(64)]
      let lastWs = 0
      for await (const entry of ledger.stream(
        { switchId: new ObjectId(switchIdOf(chain)) },
        { sort: { sequence: 1 } },
      )) {
        expect([entry.sequence, entry.previousHash.toString('hex')]).toEqual([++sequence, previousHash])
        previousHash = entry.hash.toString('hex')
        lastWs = entry.cumulativeEnergy
        const key = `${chain} ${entry.idempotencyKey}`
        expect(hashes.has(key)).toBe(false)
        hashes.set(key, entry.hash.toString('hex'))
      }
      const times = eventsOfChain(chain).map(({ timestamp }) => new Date(timestamp).getTime())
      // A watt-hour, 3,600 W·s, a minute, each reading rounded to the milliwatt-second.
      expect(lastWs).toBeCloseTo(((Math.max(...times) - Math.min(...times)) / 60_000) * 3600, 2)
    }
    expect(hashes.size).toBe(writers * calls * 3 + calls)
    for (const [number, { answers }] of running.entries()) {
      for (let call = 0; call < calls; call += 1) {
        const stored = eventsOfCall(number, call).map(({ switchId, idempotencyKey }) =>
          hashes.get(`${String(switchId).slice(-1)} ${idempotencyKey}`),
        )
        expect(answers.get(call)).toEqual(stored)
      }
    }
  })
})

/** Every event that some writer appends to the chain. */
function eventsOfChain(chain: number) {
  return Array.from({ length: writers }, (_, number) => number)
    .flatMap((number) => Array.from({ length: calls }, (_, call) => eventsOfCall(number, call)).flat())
    .filter(({ switchId }) => switchId === switchIdOf(chain))
}
