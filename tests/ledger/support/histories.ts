import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import type { LedgerEvent } from '../../../src/ledger/entry/entry.js'
import { anEvent, aSwitchInLedger, at, type HostEvent } from './events.js'

type Source = LedgerEvent['energySource']

interface Step {
  readonly waitMs: number
  readonly kind: 'use' | 'use' | 'stand' | 'zero' | 'jitter' | 'jump' | 'reset' | 'older' | 'rollover'
  readonly amount: number
  readonly on: boolean
  readonly silentMs: number | undefined
  readonly saysNothing: boolean
  readonly sign: 'sign_of_life' | 'restart' | undefined
  readonly isRefused: boolean
  readonly boot: string | undefined
  readonly sequence: number | undefined
  readonly key: string
}

interface Segment {
  readonly source: Source
  readonly quantumWh: number
  readonly widthWh: number | undefined
  readonly maximumPower: number
  readonly powerRating: number
  readonly ratePerKwh: number
  readonly room: number
  readonly steps: readonly Step[]
}

/** Mostly a minute; now and then the same instant, a millisecond, or longer than the gap limit of five minutes. */
const waitMs = fc.oneof(
  { weight: 6, arbitrary: fc.constant(60_000) },
  { weight: 2, arbitrary: fc.constant(0) },
  { weight: 2, arbitrary: fc.constantFrom(1, 999, 30_001, 300_000, 300_001, 3_600_000) },
)

const step: fc.Arbitrary<Step> = fc.record({
  waitMs,
  kind: fc.oneof(
    { weight: 8, arbitrary: fc.constant<Step['kind']>('use') },
    {
      weight: 4,
      arbitrary: fc.constantFrom<Step['kind']>('stand', 'zero', 'jitter', 'jump', 'reset', 'older', 'rollover'),
    },
  ),
  amount: fc.nat({ max: 4 }),
  on: fc.boolean(),
  silentMs: fc.option(fc.constantFrom(1, 400_000, 5_000_000), { nil: undefined, freq: 4 }),
  saysNothing: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  sign: fc.oneof(
    { weight: 5, arbitrary: fc.constant(undefined) },
    { weight: 2, arbitrary: fc.constantFrom('sign_of_life' as const, 'restart' as const) },
  ),
  isRefused: fc.oneof({ weight: 9, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
  boot: fc.constantFrom(undefined, undefined, '9', '10'),
  sequence: fc.option(fc.nat({ max: 3 }), { nil: undefined }),
  key: fc.string({ minLength: 1, maxLength: 3, unit: 'grapheme-ascii' }),
})

const segment = (sources: readonly Source[]): fc.Arbitrary<Segment> =>
  fc.record({
    source: fc.constantFrom(...sources),
    quantumWh: fc.constantFrom(0, 1, 2),
    widthWh: fc.constantFrom(undefined, undefined, 32),
    maximumPower: fc.constantFrom(50, 200, 25_000),
    powerRating: fc.constantFrom(60, 75.5, 0.1),
    ratePerKwh: fc.constantFrom(7.5, 8.123_456, 0),
    room: fc.nat({ max: 1 }),
    steps: fc.array(step, { maxLength: 14, size: 'max' }),
  })

/** The two classrooms that a history is about. */
export const rooms = [new ObjectId(), new ObjectId()] as const

/** What one switch reports in the course of time, in order, with sources, prices and classrooms that change on the way. */
export function histories(...sources: Source[]): fc.Arbitrary<HostEvent[]> {
  return fc.array(segment(sources), { minLength: 1, maxLength: 4 }).map(eventsOf)
}

function eventsOf(segments: readonly Segment[]): HostEvent[] {
  const own = aSwitchInLedger()
  const events: HostEvent[] = []
  let ms = 0
  let countWh = 20
  for (const { source, steps, ratePerKwh, room, powerRating, quantumWh, widthWh, maximumPower } of segments) {
    for (const {
      waitMs: wait,
      kind,
      amount,
      on,
      silentMs,
      saysNothing,
      isRefused,
      sign,
      boot,
      sequence,
      key,
    } of steps) {
      ms += wait
      if (kind === 'reset') countWh = 0
      if (kind === 'older') countWh = Math.max(0, countWh - amount)
      if (kind === 'rollover') countWh = Math.max(0, countWh - 30)
      if (kind !== 'stand' && kind !== 'older') countWh += amount
      const shown = { zero: 0, jitter: Math.max(0, countWh - 1), jump: countWh * 3 + amount }[kind as string] ?? countWh
      const timestamp = at(ms / 1000)
      const isSwitching = !isRefused && (source === 'rated') !== saysNothing
      events.push(
        anEvent({
          ...own,
          classroom: rooms[room] as ObjectId,
          timestamp,
          eventType:
            sign ?? (isRefused ? 'refused_reading' : isSwitching ? (on ? 'switch_on' : 'switch_off') : 'power_reading'),
          powerState: on,
          powerRating,
          energySource: source,
          reading:
            isSwitching || isRefused || sign !== undefined
              ? undefined
              : readingOf(source, shown, { quantumWh, widthWh, maximumPower }),
          silentSince: silentMs === undefined ? undefined : new Date(timestamp.getTime() - silentMs),
          ratePerKwh,
          metadata: { source: 'mqtt', bootId: boot, deviceSequence: sequence },
          idempotencyKey: `${key} ${events.length}`,
        }),
      )
    }
  }
  return events
}

function readingOf(
  source: Source,
  shownWh: number,
  { quantumWh, widthWh, maximumPower }: Pick<Segment, 'quantumWh' | 'widthWh' | 'maximumPower'>,
): LedgerEvent['reading'] {
  if (source !== 'counter') return { powerW: (shownWh - 20) * 12.345 }
  return { energyWh: shownWh, counterQuantumWh: quantumWh, counterWidthWh: widthWh, maximumPower }
}

/** A history, and the batches in which it arrives: in another order, and some of it twice. */
export interface Arrival {
  readonly inOrder: readonly HostEvent[]
  readonly batches: readonly (readonly HostEvent[])[]
}

/** Ways for a history to arrive: wholly mixed up, or in order but for some that are late. */
export function arrivalsOf(history: fc.Arbitrary<HostEvent[]>): fc.Arbitrary<Arrival> {
  return history.chain((inOrder) => {
    const shuffled = fc.shuffledSubarray([...inOrder, ...inOrder.slice(0, 5)], { minLength: inOrder.length })
    const mostlyInOrder = fc.array(fc.oneof({ weight: 5, arbitrary: fc.constant(0) }, fc.nat({ max: 20 })), {
      minLength: inOrder.length,
      maxLength: inOrder.length,
    })
    const delayed = mostlyInOrder.map((delays) => sortedBy(inOrder, (index) => index + (delays[index] ?? 0)))
    const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 6 })
    return fc.tuple(fc.oneof(shuffled, delayed), sizes).map(([arrived, batchSizes]) => {
      // A subarray may lack some: they come in the end.
      const missing = inOrder.filter((event) => !arrived.includes(event))
      return { inOrder, batches: inBatches([...arrived, ...missing], batchSizes) }
    })
  })
}

function sortedBy<T>(items: readonly T[], placeOf: (index: number) => number): T[] {
  return items
    .map((item, index) => ({ item, place: placeOf(index) }))
    .sort((a, b) => a.place - b.place)
    .map(({ item }) => item)
}

function inBatches<T>(items: readonly T[], sizes: readonly number[]): T[][] {
  const batches: T[][] = []
  for (let from = 0, batch = 0; from < items.length; batch += 1) {
    const size = sizes[batch % sizes.length] ?? 1
    batches.push(items.slice(from, from + size))
    from += size
  }
  return batches
}
