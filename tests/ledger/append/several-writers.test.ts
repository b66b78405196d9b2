import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { testDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { chainOf, expectSound } from '../support/chains.js'
import { anEvent, aSwitchInLedger, at, type HostEvent, type OwnFields } from '../support/events.js'

const database = testDatabase()
let handles: AutoVolt[]

beforeAll(async () => {
  handles = await Promise.all([openVolt(database), openVolt(database), openVolt(database)])
  await handles[0]?.setup()
})

/** The readings of a handle: each has its own minutes, so that the facts of all of them interleave. */
function readingsOf(handle: number, own: OwnFields, count: number): HostEvent[] {
  return Array.from({ length: count }, (_, index) =>
    anEvent({ ...own, timestamp: at(60 * (3 * index + handle)), idempotencyKey: `${handle} ${index}` }),
  )
}

describe('handles that append to the same chains at once', () => {
  it('make no fork and no gap, and lose and double nothing', async () => {
    const switches = Array.from({ length: 5 }, () => aSwitchInLedger())
    await Promise.all(
      handles.map(async ({ ledger }, handle) => {
        for (let from = 0; from < 40; from += 4) {
          const events = switches.flatMap((own) => readingsOf(handle, own, 40).slice(from, from + 4))
          const appended = await ledger.append(events)
          expect(appended.every(({ isNew }) => isNew)).toBe(true)
          expect(appended.map(({ entry }) => entry.idempotencyKey)).toEqual(
            events.map(({ idempotencyKey }) => idempotencyKey),
          )
        }
      }),
    )
    for (const { switchId } of switches) {
      const entries = await chainOf(database.db, switchId)
      expectSound(entries)
      const expected = handles.flatMap((_, handle) => Array.from({ length: 40 }, (_, index) => `${handle} ${index}`))
      expect(entries.map(({ idempotencyKey }) => idempotencyKey).sort()).toEqual(expected.sort())
      // Each handle keeps its own order.
      for (const handle of handles.keys()) {
        const ofHandle = entries.filter(({ idempotencyKey }) => idempotencyKey.startsWith(`${handle} `))
        expect(ofHandle.map(({ idempotencyKey }) => idempotencyKey)).toEqual(
          readingsOf(handle, aSwitchInLedger(), 40).map(({ idempotencyKey }) => idempotencyKey),
        )
      }
      expect(entries.at(-1)?.cumulativeEnergy).toBe(119 * 6000)
    }
    expect(await handles[0]!.ledger.verify()).toMatchObject({ valid: true })
  })

  it('append each event once that all of them bring, in whatever batches', async () => {
    const own = aSwitchInLedger()
    const events = readingsOf(0, own, 120)
    const answers = await Promise.all(
      handles.map(async ({ ledger }, handle) => {
        const size = 7 * (handle + 1)
        const calls: Promise<{ isNew: boolean }[]>[] = []
        for (let from = 0; from < events.length; from += size)
          calls.push(ledger.append(events.slice(from, from + size)))
        return (await Promise.all(calls)).flat()
      }),
    )
    expect(answers.flat().filter(({ isNew }) => isNew)).toHaveLength(120)
    const entries = await chainOf(database.db, own.switchId)
    expect(entries).toHaveLength(120)
    expectSound(entries)
  })

  it('are not misled by entries of each other that they have not seen', async () => {
    const own = aSwitchInLedger()
    const [one, other] = handles as [AutoVolt, AutoVolt]
    const power = (powerW: number, seconds: number) => anEvent({ ...own, timestamp: at(seconds), reading: { powerW } })
    await one.ledger.append([power(100, 0), power(0, 1000)])
    await other.ledger.append([power(100, 60), power(0, 120)])
    // It takes away 3,000 W·s, of a register that has none yet as far as this handle knows.
    const [late] = await one.ledger.append([power(0, 30)])
    expect(late?.entry).toMatchObject({ sequence: 5, cumulativeEnergy: 9000 })
    expectSound(await chainOf(database.db, own.switchId))
  })

  it('agree about a counter that all of them read', async () => {
    const own = aSwitchInLedger()
    const meter = { ...own, energySource: 'counter' as const }
    const readingAt = (minute: number) =>
      anEvent({ ...meter, timestamp: at(60 * minute), reading: { energyWh: minute }, idempotencyKey: `m${minute}` })
    await Promise.all(
      handles.map(async ({ ledger }, handle) => {
        for (let round = 0; round < 10; round += 1)
          await ledger.append([readingAt(6 * round + 2 * handle), readingAt(6 * round + 2 * handle + 1)])
      }),
    )
    const entries = await chainOf(database.db, own.switchId)
    expectSound(entries)
    expect(entries).toHaveLength(60)
    expect(entries.at(-1)?.cumulativeEnergy).toBe(59 * 3600)
  })
})
