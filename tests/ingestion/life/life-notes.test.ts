import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyOfNote, type LifeNote, notesOf } from '../../../src/ingestion/life/life-note.js'
import { gapsBetween, type LifeSign, type LifeSpan, withSigns } from '../../../src/ingestion/life/life-span.js'
import {
  type EnergyStretch,
  qualitySeconds,
  ratedPowerStretches,
  type SwitchState,
} from '../../../src/metering/index.js'
import { runs } from '../../support/extent.js'

const gapLimitMs = 100

interface ReceivedReport extends LifeSign {
  /** Undefined for a heartbeat. */
  readonly on: boolean | undefined
  readonly sequence: number
}

/** What a device tells in the course of its runs, each with a switch event or a heartbeat now and then. */
const stories: fc.Arbitrary<ReceivedReport[]> = fc
  .array(
    fc.array(
      fc.record({
        waitMs: fc.oneof(
          { weight: 4, arbitrary: fc.integer({ min: 1, max: 100 }) },
          fc.integer({ min: 101, max: 900 }),
        ),
        on: fc.option(fc.boolean(), { nil: undefined, freq: 2 }),
      }),
      { minLength: 1, maxLength: 12 },
    ),
    { minLength: 1, maxLength: 4 },
  )
  .map((runs) => {
    let atMs = 0
    let sequence = 0
    return runs.flatMap((run, boot) =>
      run.map(({ waitMs, on }) => {
        atMs += waitMs
        sequence += 1
        return { atMs, boot: String(boot), on, sequence }
      }),
    )
  })

/** The story in another order, some of it twice, in batches. */
const arrivals = stories.chain((story) => {
  const twice = [...story, ...story.slice(0, 4)]
  const sizes = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 })
  return fc
    .tuple(fc.shuffledSubarray(twice, { minLength: twice.length, maxLength: twice.length }), sizes)
    .map(([shuffled, batchSizes]) => ({ story, batches: inBatches(shuffled, batchSizes) }))
})

function inBatches<Item>(items: readonly Item[], sizes: readonly number[]): Item[][] {
  const batches: Item[][] = []
  for (let from = 0; from < items.length; from += batches.at(-1)?.length ?? 1) {
    batches.push(items.slice(from, from + (sizes[batches.length % sizes.length] ?? 1)))
  }
  return batches
}

/** What the batches leave behind: spans, and the facts of a switch. */
function take(batches: readonly (readonly ReceivedReport[])[]): { spans: LifeSpan[]; facts: SwitchState[] } {
  let spans: LifeSpan[] = []
  const facts = new Map<string, SwitchState>()
  for (const batch of batches) {
    for (const told of batch) if (told.on !== undefined) facts.set(`v2:${told.sequence}`, stateOf(told, told.on))
    const after = withSigns(spans, batch, gapLimitMs)
    for (const note of notesOf(spans, after)) facts.set(keyOfNote(note), factOf(note))
    spans = after
  }
  return { spans, facts: [...facts.values()] }
}

const stateOf = ({ atMs, boot, sequence }: ReceivedReport, on: boolean): SwitchState => ({
  atMs,
  boot,
  sequence,
  digest: `v2:${sequence}`,
  on,
  ratedPowerW: 1,
})
const factOf = (note: LifeNote): SwitchState => ({ ...note, digest: keyOfNote(note), on: undefined, ratedPowerW: 9 })

/** What the switch has used of each quality up to the last sign of life, and how long. */
function totalsOf(stretches: readonly EnergyStretch[]) {
  const energyOf = (quality: EnergyStretch['quality']) =>
    stretches.filter((one) => one.quality === quality).reduce((sum, { consumedMws }) => sum + consumedMws, 0)
  return { ...qualitySeconds(stretches), measuredMws: energyOf('measured'), estimatedMws: energyOf('estimated') }
}

/** The same, millisecond by millisecond, by the words of the rules. */
function expectedOf(story: readonly ReceivedReport[]): ReturnType<typeof totalsOf> {
  const sum = { measured: 0, estimated: 0, measuredMws: 0, estimatedMws: 0 }
  let on: boolean | undefined
  for (const [index, told] of story.entries()) {
    const before = story[index - 1]
    if (before !== undefined && on !== undefined) {
      const durationMs = told.atMs - before.atMs
      const isRestart = before.boot !== told.boot
      if (isRestart) on = false
      const quality = !isRestart && durationMs > gapLimitMs ? 'estimated' : 'measured'
      sum[quality] += durationMs
      if (on) sum[`${quality}Mws`] += durationMs
    }
    on = told.on ?? on
  }
  const { measuredMws, estimatedMws } = sum
  return {
    measuredSeconds: sum.measured / 1000,
    estimatedSeconds: sum.estimated / 1000,
    missingSeconds: 0,
    measuredMws,
    estimatedMws,
  }
}

describe('signs of life', () => {
  it('come to the same spans and the same energy, in whatever order, batches and how often they arrive', () => {
    fc.assert(
      fc.property(arrivals, ({ story, batches }) => {
        const { spans, facts } = take(batches)
        expect(spans).toEqual(withSigns([], story, gapLimitMs))
        const lastSignOfLifeMs = story.at(-1)?.atMs
        expect(totalsOf(ratedPowerStretches(facts, { lastSignOfLifeMs }))).toEqual(expectedOf(story))
      }),
      { numRuns: runs(1000) },
    )
  })

  it('are spans apart from each other by more than the gap limit, or by a restart', () => {
    fc.assert(
      fc.property(arrivals, ({ story, batches }) => {
        const { spans } = take(batches)
        for (const { fromMs, toMs, isRestart } of gapsBetween(spans)) {
          expect(isRestart || toMs - fromMs > gapLimitMs).toBe(true)
        }
        expect(story.every(({ atMs }) => spans.some(({ fromMs, toMs }) => fromMs <= atMs && atMs <= toMs))).toBe(true)
      }),
    )
  })

  it('note nothing as long as a device goes on without a silence', () => {
    const heartbeats = Array.from({ length: 500 }, (_, n) => ({ atMs: n * 90, boot: '1' }))
    let spans: LifeSpan[] = []
    for (const sign of heartbeats) {
      const after = withSigns(spans, [sign], gapLimitMs)
      expect(notesOf(spans, after)).toEqual([])
      spans = after
    }
    expect(spans).toEqual([{ fromMs: 0, toMs: 499 * 90, boot: '1' }])
  })

  it('do not bring back a run that another one has followed', () => {
    const run = (boot: string, ...times: number[]) => times.map((atMs) => ({ atMs, boot }))
    const spans = withSigns([], [...run('1', 0, 60), ...run('2', 100, 110)], gapLimitMs)
    expect(withSigns(spans, run('1', 105, 200), gapLimitMs)).toEqual(spans)
    expect(withSigns(withSigns([], run('1', 0, 1000), gapLimitMs), run('2', 500), gapLimitMs)).toHaveLength(2)
  })

  it('that name no run join any', () => {
    const spans = withSigns([], [{ atMs: 0, boot: undefined }], gapLimitMs)
    const joined = withSigns(spans, [{ atMs: 50, boot: '1' }], gapLimitMs)
    expect(joined).toEqual([{ fromMs: 0, toMs: 50, boot: '1' }])
    expect(withSigns(joined, [{ atMs: 90, boot: undefined }], gapLimitMs)).toEqual([{ fromMs: 0, toMs: 90, boot: '1' }])
  })
})
