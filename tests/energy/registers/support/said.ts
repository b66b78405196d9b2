import fc from 'fast-check'
import { noonMs, type Said } from './metered.js'

/** Mostly a minute; now and then the same instant, half an hour and longer, which is a gap. */
const waitMs = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(60_000, 61_234) },
  { weight: 2, arbitrary: fc.constantFrom(0, 1, 179_999, 180_000, 180_001) },
  { weight: 1, arbitrary: fc.constantFrom(899_999, 900_000, 2_000_000, 11_000_000) },
)

const powerW = fc.oneof(fc.constantFrom(0, 60, -60), fc.double({ min: -3000, max: 3000, noNaN: true }))

const isRefused = fc.oneof({ weight: 8, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) })

/** What a power meter says in the course of time. */
export const powers: fc.Arbitrary<Said[]> = fc
  .array(fc.record({ waitMs, powerW, isRefused }), { minLength: 1, maxLength: 30, size: 'max' })
  .map((steps) => {
    let atMs = noonMs
    return steps.map(({ waitMs: wait, powerW: power, isRefused: refused }, sequence) => {
      atMs += wait
      return { atMs, powerW: power, isRefused: refused, boot: 'b', sequence }
    })
  })

const kind = fc.oneof(
  { weight: 8, arbitrary: fc.constant('use' as const) },
  { weight: 4, arbitrary: fc.constantFrom('stand', 'zero', 'jitter', 'jump', 'reset', 'older', 'rollover') },
)

/** What an energy counter says, with all that counters do. */
export const counts: fc.Arbitrary<Said[]> = fc
  .array(fc.record({ waitMs, kind, amount: fc.nat({ max: 4 }) }), { minLength: 1, maxLength: 30, size: 'max' })
  .map((steps) => {
    let atMs = noonMs
    let countWh = 20
    return steps.map(({ waitMs: wait, kind: what, amount }, sequence) => {
      atMs += wait
      if (what === 'reset') countWh = 0
      if (what === 'older') countWh = Math.max(0, countWh - amount)
      if (what === 'rollover') countWh = Math.max(0, countWh - 30)
      if (what !== 'stand' && what !== 'older') countWh += amount
      const shown = { zero: 0, jitter: Math.max(0, countWh - 1), jump: countWh * 3 + amount }[what as string] ?? countWh
      return { atMs, energyWh: shown, boot: 'b', sequence }
    })
  })

/** Any order, in batches, some of it twice. */
export function batchesOf(said: readonly Said[], draw: (below: number) => number): Said[][] {
  const left = [...said]
  const batches: Said[][] = []
  while (left.length > 0) {
    const batch = Array.from({ length: 1 + draw(12) }, () => left.splice(draw(left.length), 1)).flat()
    batches.push(draw(3) === 0 ? [...batch, ...batch.slice(0, 2)] : batch)
  }
  return batches
}
