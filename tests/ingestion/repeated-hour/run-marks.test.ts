import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decide,
  type RepeatedMessage,
  type RunMarks,
  withPlaced,
} from '../../../src/ingestion/repeated-hour/run-marks.js'
import { runs } from '../../support/extent.js'

const hourMs = 3_600_000
/** When the hour that clocks show twice begins for the first time. */
const startMs = Date.parse('2025-10-26T00:00:00Z')

/** A message that was sent so long after the start; clocks show the time since then, or an hour less from the second hour on. */
function sentAt(sequence: number, sinceStartMs: number, boot: string | undefined = 'b1'): RepeatedMessage {
  const firstMs = startMs + (sinceStartMs % hourMs)
  return { boot, sequence, firstMs, secondMs: firstMs + hourMs, latestMs: startMs + 10 * hourMs }
}

/** Where messages are placed, in the order in which they come: since the start, ms. */
function place(messages: readonly RepeatedMessage[]) {
  let runs: readonly RunMarks[] = []
  return messages.map((message) => {
    const time = decide(runs, message)
    runs = withPlaced(runs, message, time)
    return { sinceStartMs: (time.isSecond ? message.secondMs : message.firstMs) - startMs, isDecided: time.isDecided }
  })
}

/** When a device sends in the two hours, at most some minutes apart. */
const sendings = fc.array(fc.integer({ min: 1, max: 20 * 60_000 }), { minLength: 8, maxLength: 40 }).map((waits) => {
  const sent: number[] = []
  let nowMs = 0
  for (const waitMs of waits) {
    nowMs += waitMs
    if (nowMs < 2 * hourMs) sent.push(nowMs)
  }
  return sent
})

describe('a time that clocks showed twice', () => {
  it('is the second one after a message of a lower number that was placed later', () => {
    expect(place([sentAt(1, 30 * 60_000), sentAt(2, hourMs), sentAt(3, hourMs + 59 * 60_000)])).toEqual([
      { sinceStartMs: 30 * 60_000, isDecided: false },
      { sinceStartMs: hourMs, isDecided: true },
      { sinceStartMs: hourMs + 59 * 60_000, isDecided: true },
    ])
  })

  it('is the first one, undecided, where no number or no message before tells', () => {
    const unnumbered = { ...sentAt(0, hourMs + 1), sequence: undefined }
    expect(place([sentAt(1, 30 * 60_000), unnumbered, sentAt(2, hourMs, 'b2')])).toMatchObject([
      { isDecided: false },
      { sinceStartMs: 1, isDecided: false },
      { sinceStartMs: 0, isDecided: false },
    ])
  })

  it('is never one that is more than five minutes ahead of the arrival', () => {
    const early = { ...sentAt(2, 10), latestMs: startMs + hourMs }
    expect(place([sentAt(1, 30 * 60_000), early])[1]).toEqual({ sinceStartMs: 10, isDecided: true })
  })

  it('is the first one before a message of a higher number that was placed there', () => {
    expect(place([sentAt(5, 30 * 60_000), sentAt(4, 20 * 60_000)])[1]).toEqual({
      sinceStartMs: 20 * 60_000,
      isDecided: true,
    })
  })

  it('is not that of another year, whose numbers go on', () => {
    const year = 364 * 86_400_000
    const later = (message: RepeatedMessage) => ({
      ...message,
      firstMs: message.firstMs + year,
      secondMs: message.secondMs + year,
      latestMs: message.latestMs + year,
    })
    const all = [sentAt(1, 30 * 60_000), sentAt(2, hourMs), later(sentAt(3, 40 * 60_000)), later(sentAt(4, hourMs + 5))]
    expect(place(all).map(({ sinceStartMs }) => sinceStartMs)).toEqual([
      30 * 60_000,
      hourMs,
      year + 40 * 60_000,
      year + hourMs + 5,
    ])
  })

  it('goes on from where it is once a device that does not name its runs has started again', () => {
    const unnamed = (sequence: number, sinceStartMs: number) => ({ ...sentAt(sequence, sinceStartMs), boot: undefined })
    const all = [unnamed(900, 10 * 60_000), unnamed(0, 20 * 60_000), unnamed(1, 50 * 60_000), unnamed(2, hourMs + 1)]
    expect(place(all).map(({ sinceStartMs }) => sinceStartMs)).toEqual([
      10 * 60_000,
      20 * 60_000,
      50 * 60_000,
      hourMs + 1,
    ])
  })

  it('is the true one wherever a message before shows it, and the same each time that it is delivered again', () => {
    const again = fc.infiniteStream(fc.nat())
    fc.assert(
      fc.property(sendings, again, (sent, picks) => {
        const numbered = sent.map((ms, sequence) => sentAt(sequence, ms))
        // Each message is followed by some that came before.
        const deliveries = numbered.flatMap((message, at) => {
          const repeated = [picks.next().value, picks.next().value].map((pick) => numbered[pick % (at + 1)] ?? message)
          return [message, ...repeated]
        })
        const placed = new Map<number, number>()
        for (const [at, { sinceStartMs }] of place(deliveries).entries()) {
          const sequence = deliveries[at]?.sequence ?? 0
          expect(sinceStartMs).toBe(placed.get(sequence) ?? sinceStartMs)
          placed.set(sequence, sinceStartMs)
        }
        for (const [sequence, ms] of sent.entries()) {
          const lower = sent.slice(0, sequence).map((_, at) => placed.get(at) ?? 0)
          const isShown = lower.some((at) => at > ms % hourMs)
          expect(placed.get(sequence)).toBe(isShown ? (ms % hourMs) + hourMs : ms % hourMs)
          if (isShown) expect(placed.get(sequence)).toBe(ms)
        }
      }),
      { numRuns: runs(700) },
    )
  })

  it('is never wrong about a message of the first time, in whatever order messages come', () => {
    const shuffled = sendings.chain((sent) =>
      fc
        .shuffledSubarray(
          sent.map((ms, sequence) => sentAt(sequence, ms)),
          { minLength: sent.length },
        )
        .map((deliveries) => ({ sent, deliveries })),
    )
    fc.assert(
      fc.property(shuffled, ({ sent, deliveries }) => {
        for (const [at, { sinceStartMs }] of place(deliveries).entries()) {
          const trueMs = sent[deliveries[at]?.sequence ?? 0] ?? 0
          if (trueMs < hourMs && sinceStartMs !== trueMs) {
            // Only after one of the second time that nothing had told from the first.
            const earlier = deliveries.slice(0, at).some(({ sequence = 0 }) => (sent[sequence] ?? 0) >= hourMs)
            expect(earlier).toBe(true)
          }
        }
      }),
      { numRuns: runs(700) },
    )
  })
})
