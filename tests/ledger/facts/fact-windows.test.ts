import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Fact, factOf, inOrder } from '../../../src/ledger/facts/fact.js'
import { FactWindows, joined, type TimeSpan, windowsOf } from '../../../src/ledger/facts/fact-windows.js'
import { changeAmong } from '../../../src/ledger/facts/register.js'
import { SwitchMeter } from '../../../src/ledger/facts/switch-meter.js'
import { runs } from '../../support/extent.js'
import { anEvent, at } from '../support/events.js'
import { histories } from '../support/histories.js'

const endless = Number.POSITIVE_INFINITY
const newestFrom = (facts: readonly Fact[], fromMs: number) => ({
  fromMs,
  toMs: endless,
  facts: facts.filter(({ atMs }) => atMs >= fromMs),
})

const made = new Map<number, Fact>()
function factAt(seconds: number): Fact {
  const known = made.get(seconds)
  if (known !== undefined) return known
  const fact = factOf(anEvent({ timestamp: at(seconds), idempotencyKey: `k${seconds}` }))
  if (fact === undefined) throw new Error('The event is no fact')
  made.set(seconds, fact)
  return fact
}

const factsAt = (...seconds: number[]) => seconds.map(factAt)
const windowOf = (from: number, to: number, facts: readonly Fact[]) =>
  windowsOf([{ fromMs: at(from).getTime(), toMs: at(to).getTime() }], facts)

describe('the windows of facts that are known of a chain', () => {
  it('tell the facts around one that falls in one of them', () => {
    const windows = new FactWindows(newestFrom(factsAt(100), at(100).getTime()))
    windows.learn(windowOf(10, 20, factsAt(11, 12, 13)))
    expect(windows.around(factAt(12.5))?.facts).toEqual(factsAt(12, 13))
    // Before the first, and after the last, there may be others.
    expect(windows.around(factAt(10.5))).toBeUndefined()
    expect(windows.around(factAt(15))).toBeUndefined()
    expect(windows.around(factAt(50))).toBeUndefined()
  })

  it('say what is to be read for a fact whose neighbours they do not know', () => {
    const windows = new FactWindows(newestFrom(factsAt(100), at(100).getTime()))
    windows.learn(windowOf(10, 20, factsAt(12)))
    const span = (fromMs: number, toMs: number) => ({ fromMs, toMs })
    const [ten, twenty] = [at(10).getTime(), at(20).getTime()]
    expect(windows.lacking(factAt(50), 1000)).toEqual([span(at(49).getTime(), at(51).getTime())])
    expect(windows.lacking(factAt(11), 1000)).toEqual([span(ten - 1000, ten - 1)])
    expect(windows.lacking(factAt(13), 1000)).toEqual([span(twenty + 1, twenty + 1000)])
  })

  it('grow together where they touch', () => {
    const windows = new FactWindows(newestFrom(factsAt(100), at(100).getTime()))
    windows.learn(windowOf(10, 20, factsAt(12)))
    windows.learn([
      { fromMs: at(20).getTime() + 1, toMs: at(40).getTime(), facts: factsAt(30) },
      { fromMs: at(90).getTime(), toMs: at(100).getTime(), facts: factsAt(95, 100) },
    ])
    expect(windows.around(factAt(20))?.facts).toEqual(factsAt(12, 30))
    expect(windows.around(factAt(97))?.facts).toEqual(factsAt(95, 100))
    expect(windows.size).toBe(4)
  })

  it('keep few facts where facts come in order, and many where some come late or are others’', () => {
    const inOrderOnly = new FactWindows(newestFrom([], Number.NEGATIVE_INFINITY))
    const others = new FactWindows(newestFrom(factsAt(0), at(0).getTime()))
    for (let seconds = 1; seconds < 100; seconds += 1) {
      inOrderOnly.add(factAt(seconds))
      others.addOfOthers(factsAt(seconds))
      for (const windows of [inOrderOnly, others]) windows.trim()
    }
    expect(inOrderOnly.size).toBeLessThan(10)
    expect(inOrderOnly.around(factAt(50.5))).toBeUndefined()
    expect(inOrderOnly.around(factAt(98.5))).toBeDefined()
    expect(others.around(factAt(0.5))).toBeDefined()
  })

  it('forget what may be archived, and what did not become an entry', () => {
    const windows = new FactWindows(newestFrom(factsAt(100, 101), at(100).getTime()))
    windows.learn(windowOf(10, 20, factsAt(11, 12, 13, 14)))
    windows.forgetUntil(at(12).getTime())
    expect(windows.around(factAt(12.5))).toBeUndefined()
    expect(windows.around(factAt(13.5))?.facts).toEqual(factsAt(13, 14))
    const unstored = factAt(102)
    windows.add(unstored)
    windows.keepNewest([unstored])
    expect(windows.newest.facts).toEqual(factsAt(100, 101))
    expect(windows.around(factAt(13.5))).toBeUndefined()
  })

  it('come to what all facts come to, whatever of them is known', () => {
    const histories_ = fc.oneof(
      histories('rated'),
      histories('power'),
      histories('counter'),
      histories('rated', 'power', 'counter'),
    )
    const places = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 8 })
    let known = 0
    fc.assert(
      fc.property(histories_, places, fc.nat(), (history, ends, pick) => {
        const all = inOrder(history.flatMap((event) => factOf(event) ?? []))
        const late = all[pick % Math.max(1, all.length)]
        if (late === undefined) return
        const others = all.filter((fact) => fact !== late)
        const [firstMs, lastMs] = [all[0]?.atMs ?? 0, all.at(-1)?.atMs ?? 0]
        const msAt = (place: number) => Math.floor(firstMs - 1000 + place * (lastMs - firstMs + 2000))
        const windows = new FactWindows(newestFrom(others, msAt(ends[0] ?? 0)))
        const spans = ends.flatMap((end, at): TimeSpan[] => {
          const toMs = msAt(ends[at + 1] ?? 1)
          return [{ fromMs: Math.min(msAt(end), toMs), toMs: Math.max(msAt(end), toMs) }]
        })
        for (const span of spans) windows.learn(windowsOf([span], others))
        expect(windows.size).toBeLessThanOrEqual(others.length)
        const around = windows.around(late)
        if (around === undefined) {
          expect(windows.lacking(late, 1000)).not.toEqual([])
        } else {
          known += 1
          const [some, of] = [changeAmong(around.facts, late), changeAmong(others, late)]
          expect([some.consumedMws, some.producedMws]).toEqual([of.consumedMws, of.producedMws])
          expect(some.cost).toBeCloseTo(of.cost, 9)
        }
        const tail = windows.tail()
        if (tail !== undefined) {
          const [short, whole] = [new SwitchMeter(), new SwitchMeter()]
          short.take(tail)
          whole.take(others)
          expect([short.last, short.settledMs, short.isPending]).toEqual([whole.last, whole.settledMs, whole.isPending])
        }
      }),
      { numRuns: runs(1000) },
    )
    expect(known).toBeGreaterThan(500)
  })
})

it('spans that overlap or touch become one', () => {
  expect(
    joined([
      { fromMs: 10, toMs: 19 },
      { fromMs: 40, toMs: 50 },
      { fromMs: 20, toMs: 30 },
      { fromMs: 45, toMs: 46 },
    ]),
  ).toEqual([
    { fromMs: 10, toMs: 30 },
    { fromMs: 40, toMs: 50 },
  ])
})
