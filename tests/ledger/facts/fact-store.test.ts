import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { type Fact, factOf, inOrder } from '../../../src/ledger/facts/fact.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { anEvent, aSwitchInLedger, at, type HostEvent, type OwnFields } from '../support/events.js'

const database = setUpDatabase()
const nothingBeside = { unstored: [], session: undefined }
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})

const counter = (own: OwnFields, seconds: number, energyWh: number, overrides: Partial<HostEvent> = {}) =>
  anEvent({
    ...own,
    timestamp: at(seconds),
    energySource: 'counter',
    reading: { energyWh, counterQuantumWh: 1 },
    ...overrides,
  })
const power = (own: OwnFields, seconds: number, powerW: number) =>
  anEvent({ ...own, timestamp: at(seconds), reading: { powerW } })
const factsOf = (events: readonly HostEvent[]) => inOrder(events.flatMap((event) => factOf(event) ?? []))
const keysOf = (facts: readonly Fact[]) => facts.map(({ digest }) => digest)

async function pagesFrom(own: OwnFields, fromMs: number, toMs: number): Promise<(readonly Fact[])[]> {
  const pages: (readonly Fact[])[] = []
  for await (const page of volt.ledger.facts.from(own.switchId, fromMs, toMs)) pages.push(page)
  return pages
}

describe('the facts from an instant on', () => {
  it('are all that there are from there, and before it as many as matter', async () => {
    const own = aSwitchInLedger()
    const events = Array.from({ length: 300 }, (_, minute) => power(own, 60 * minute, minute))
    await volt.ledger.append(events.toReversed())
    const expected = keysOf(factsOf(events))
    for (const minute of [-1, 0, 1, 2, 150, 298, 299, 300]) {
      const pages = await pagesFrom(own, at(60 * minute).getTime(), at(60 * Math.max(160, minute + 1)).getTime())
      const found = keysOf(pages.flat())
      expect(found).toEqual(expected.slice(-found.length || expected.length))
      const before = found.length - expected.slice(Math.max(0, minute)).length
      expect(before).toBeGreaterThanOrEqual(Math.min(1, Math.max(0, minute)))
      expect(before).toBeLessThanOrEqual(3)
    }
  })

  it('come in pages of whole instants, however many facts an instant has', async () => {
    const own = aSwitchInLedger()
    const busy = Array.from({ length: 6000 }, (_, deviceSequence) => ({
      ...power(own, 60, deviceSequence),
      metadata: { source: 'mqtt' as const, deviceSequence },
    }))
    const events = [
      power(own, 0, 1),
      ...busy,
      power(own, 61, 1),
      ...Array.from({ length: 20 }, () => power(own, 62, 1)),
    ]
    await volt.ledger.append(events)
    for (const [fromMs, toMs] of [
      [at(0), at(1)],
      [at(60), at(61)],
      [at(61), at(61)],
    ].map((range) => range.map((date) => date.getTime()))) {
      const pages = await pagesFrom(own, fromMs!, toMs!)
      expect(keysOf(pages.flat())).toEqual(keysOf(factsOf(events)).slice(-pages.flat().length))
      const instants = pages.map((page) => [...new Set(page.map(({ atMs }) => atMs))])
      expect(new Set(instants.flat()).size).toBe(instants.flat().length)
      expect(instants.flat()).toEqual(instants.flat().toSorted((a, b) => a - b))
    }
  })

  it('leave out what says nothing about energy', async () => {
    const own = aSwitchInLedger()
    const silent = [
      anEvent({ ...own, timestamp: at(1), eventType: 'switch_on', reading: undefined }),
      anEvent({ ...own, timestamp: at(2), energySource: 'rated' }),
      anEvent({ ...own, timestamp: at(3), reading: { energyWh: 5 } }),
      anEvent({ ...own, timestamp: at(4), energySource: 'counter', reading: { powerW: 5 } }),
    ]
    expect(silent.map(factOf)).toEqual(silent.map(() => undefined))
    const telling = [power(own, 0, 5), power(own, 10, 5)]
    await volt.ledger.append([...silent, ...telling])
    expect(keysOf((await pagesFrom(own, at(0).getTime(), at(60).getTime())).flat())).toEqual(keysOf(factsOf(telling)))
  })

  it('are none where the switch has none', async () => {
    expect((await pagesFrom(aSwitchInLedger(), 0, 1)).flat()).toEqual([])
    expect(await volt.ledger.facts.latest(aSwitchInLedger().switchId)).toBeUndefined()
  })
})

describe('the facts around a new one', () => {
  it('are few, however many there are', async () => {
    const own = aSwitchInLedger()
    const powers = Array.from({ length: 500 }, (_, minute) => power(own, 60 * minute, 5))
    await volt.ledger.append(powers)
    const [late] = factsOf([power(own, 60 * 250 + 1, 7)])
    const { facts, toTheEnd } = await volt.ledger.facts.around(own.switchId, late!, nothingBeside)
    expect(facts.length).toBeLessThanOrEqual(6)
    expect(facts.some(({ atMs }) => atMs < late!.atMs)).toBe(true)
    expect(facts.some(({ atMs }) => atMs > late!.atMs)).toBe(true)
    expect(toTheEnd).toBe(false)
    expect((await volt.ledger.facts.newest(own.switchId, nothingBeside)).facts.length).toBeLessThanOrEqual(16)
  })

  it('are few for a counter that counts', async () => {
    const own = aSwitchInLedger()
    await volt.ledger.append(Array.from({ length: 2000 }, (_, minute) => counter(own, 60 * minute, 10 + minute / 2)))
    const [late] = factsOf([counter(own, 60 * 1000 + 1, 510)])
    const { facts, toTheEnd } = await volt.ledger.facts.around(own.switchId, late!, nothingBeside)
    expect(facts.length).toBeLessThanOrEqual(40)
    expect(toTheEnd).toBe(false)
    expect((await volt.ledger.facts.newest(own.switchId, nothingBeside)).facts.length).toBeLessThanOrEqual(16)
  })

  it('include those that are not stored yet', async () => {
    const own = aSwitchInLedger()
    await volt.ledger.append([power(own, 0, 5), power(own, 600, 5)])
    const unstored = factsOf([power(own, 300, 1), power(own, 200, 2), power(own, 900, 3)])
    const [late] = factsOf([power(own, 250, 7)])
    const { facts } = await volt.ledger.facts.around(own.switchId, late!, { unstored, session: undefined })
    expect(facts.map(({ atMs }) => (atMs - at(0).getTime()) / 1000)).toEqual([0, 200, 300, 600, 900])
  })
})
