import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { chainOf, expectSound, hex } from '../support/chains.js'
import { anEvent, aSwitchInLedger, at, readings } from '../support/events.js'

const database = setUpDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})

/** The sequence of each event's entry, negative where the entry was there already. */
const placesOf = (appended: Awaited<ReturnType<AutoVolt['ledger']['append']>>) =>
  appended.map(({ entry, isNew }) => (isNew ? entry.sequence : -entry.sequence))

describe('an event whose key is known', () => {
  it('gives back the entry that is there', async () => {
    const own = aSwitchInLedger()
    const [first, second] = readings(2, own)
    const [stored] = await volt.ledger.append([first!])
    const [again, next] = await volt.ledger.append([{ ...first!, reading: { powerW: 5 } }, second!])
    expect(again).toEqual({ entry: stored?.entry, isNew: false })
    expect(next).toMatchObject({ isNew: true, entry: { sequence: 2 } })
  })

  it('gives it back to another handle, which has not seen the chain', async () => {
    const events = readings(3)
    const appended = await volt.ledger.append(events)
    const other = await openVolt(database)
    expect(await other.ledger.append(events)).toEqual(appended.map(({ entry }) => ({ entry, isNew: false })))
  })

  it('is appended once where it is twice in a call', async () => {
    const own = aSwitchInLedger()
    const [a, b, c] = readings(3, own)
    expect(placesOf(await volt.ledger.append([a!, b!, a!, c!, b!, a!]))).toEqual([1, 2, -1, 3, -2, -1])
    expectSound(await chainOf(database.db, own.switchId))
  })

  it('is appended once where many calls of several handles bring it at once', async () => {
    const own = aSwitchInLedger()
    const others = await Promise.all([openVolt(database), openVolt(database)])
    const events = readings(50, own)
    const calls = [volt, ...others, volt, ...others].map(({ ledger }) => ledger.append(events))
    const answers = await Promise.all(calls)
    for (let index = 0; index < events.length; index += 1) {
      const ofEvent = answers.map((appended) => appended[index]!)
      expect(ofEvent.filter(({ isNew }) => isNew)).toHaveLength(1)
      expect(new Set(ofEvent.map(({ entry }) => hex(entry.hash))).size).toBe(1)
      expect(ofEvent[0]?.entry.idempotencyKey).toBe(`reading ${index}`)
    }
    const entries = await chainOf(database.db, own.switchId)
    expect(entries).toHaveLength(50)
    expectSound(entries)
  })

  it('is known in its own chain only', async () => {
    const events = [anEvent({ idempotencyKey: 'shared' }), anEvent({ idempotencyKey: 'shared' })]
    expect(placesOf(await volt.ledger.append(events))).toEqual([1, 1])
    expect(placesOf(await volt.ledger.append(events))).toEqual([-1, -1])
  })

  it('is told apart by every character of its key, also by what looks like a separator', async () => {
    const own = aSwitchInLedger()
    const keys = ['a', 'a ', ' a', 'A', 'ä', 'a\u0308', 'a\u0000b', '$a', 'a.b', '{"$gt":""}', 'k'.repeat(200)]
    const events = keys.map((idempotencyKey) => anEvent({ ...own, idempotencyKey }))
    expect(placesOf(await volt.ledger.append(events))).toEqual(keys.map((_, index) => index + 1))
    expect(placesOf(await volt.ledger.append(events))).toEqual(keys.map((_, index) => -index - 1))
  })

  it('is found again though its text is not well-formed Unicode, which no database keeps', async () => {
    const event = anEvent({ idempotencyKey: 'half \ud83d of it' })
    const first = await volt.ledger.append([event]).catch((error: unknown) => error)
    const again = await volt.ledger.append([event]).catch((error: unknown) => error)
    const inTransaction = await volt.transaction(() => volt.ledger.append([event])).catch((error: unknown) => error)
    const isRefused = first instanceof Error
    const outcomes = [first, again, inTransaction].map((outcome) =>
      outcome instanceof Error ? outcome : placesOf(outcome as never),
    )
    if (isRefused) expect(outcomes).toEqual(Array(3).fill(expect.objectContaining({ code: 'VALIDATION' })))
    else expect(outcomes).toEqual([[1], [-1], [-1]])
  })

  it('changes nothing of the registers, in whatever place of the call it comes', async () => {
    const own = aSwitchInLedger()
    const events = readings(6, own)
    await volt.ledger.append(events.slice(0, 3))
    await volt.ledger.append([events[4]!, events[1]!, events[3]!, events[0]!, events[5]!])
    const entries = await chainOf(database.db, own.switchId)
    expect(entries).toHaveLength(6)
    expectSound(entries)
    expect(entries.at(-1)).toMatchObject({ cumulativeEnergy: 5 * 6000, calculatedCost: expect.closeTo(0.0625, 9) })
  })

  it('does not keep a full register from giving back the entries that there are', async () => {
    const own = aSwitchInLedger()
    const counter = (energyWh: number, seconds: number) =>
      anEvent({
        ...own,
        timestamp: at(seconds),
        energySource: 'counter',
        reading: { energyWh, maximumPower: 1e9 },
        idempotencyKey: `counter ${seconds}`,
      })
    // 2.2 GWh in a day: the register has 8e12 W·s.
    const events = [counter(0, 0), counter(2.2e9, 86_400)]
    const appended = await volt.ledger.append(events)
    expect(appended[1]?.entry.cumulativeEnergy).toBe(7.92e12)
    expect(placesOf(await volt.ledger.append(events))).toEqual([-1, -2])
  })
})
