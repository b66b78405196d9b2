import fc from 'fast-check'

/** What a relay really did: when it was pressed, in whole ms, each press the other way round than the one before. */
export interface Truth {
  readonly presses: readonly number[]
  /** Whether the first press switches on. */
  readonly firstOn: boolean
  readonly endMs: number
}

/** A message of the device as it arrives; several copies of one have one number. */
export interface SimulatedMessage {
  readonly kind: 'event' | 'snapshot'
  readonly number: number
  readonly on: boolean
  readonly sentMs: number
  /** Since boot, by the device's own clock. */
  readonly uptimeMs: number
  readonly arrivalMs: number
}

export interface Simulation {
  readonly truth: Truth
  /** In order of arrival. */
  readonly messages: readonly SimulatedMessage[]
}

const snapshotEveryMs = 30_000

/** How one message fares. A message that is cut cannot be read, which is as good as lost. */
interface Fate {
  readonly isLost: boolean
  readonly isDoubled: boolean
  readonly delayMs: number
}

const stalls = fc.oneof(
  { weight: 12, arbitrary: fc.integer({ min: 0, max: 300 }) },
  { weight: 1, arbitrary: fc.integer({ min: 1000, max: 40_000 }) },
)
const fate = (delays: fc.Arbitrary<number>): fc.Arbitrary<Fate> =>
  fc.record({
    isLost: fc.oneof({ weight: 3, arbitrary: fc.constant(false) }, fc.constant(true)),
    isDoubled: fc.oneof({ weight: 5, arbitrary: fc.constant(false) }, fc.constant(true)),
    delayMs: delays,
  })

interface Options {
  /** How far presses are apart, ms. */
  readonly waits: fc.Arbitrary<number>
  /** How long messages take. */
  readonly delays: fc.Arbitrary<number>
  /** Whether a message waits for those that were sent before it, as over TCP. */
  readonly isInOrder: boolean
}

/** A device as deployed ones are: over TCP, each press in an event and a snapshot, snapshots every 30 s besides. */
export const deployed: Options = {
  waits: fc.oneof(fc.integer({ min: 300, max: 5000 }), fc.integer({ min: 5000, max: 200_000 })),
  delays: stalls,
  isInOrder: true,
}

export function simulations({ waits, delays, isInOrder }: Options): fc.Arbitrary<Simulation> {
  const press = fc.record({ waitMs: waits, isSnapshotFirst: fc.boolean() })
  return fc
    .record({
      firstOn: fc.boolean(),
      presses: fc.array(press, { minLength: 1, maxLength: 12 }),
      restMs: fc.integer({ min: 0, max: 100_000 }),
      uptimeMs: fc.integer({ min: 1000, max: 1e9 }),
      drift: fc.double({ min: -5e-5, max: 5e-5, noNaN: true }),
      fates: fc.infiniteStream(fate(delays)),
    })
    .map(({ firstOn, presses, restMs, uptimeMs, drift, fates }) => {
      const times: number[] = []
      let nowMs = 0
      for (const { waitMs } of presses) {
        nowMs += waitMs
        times.push(nowMs)
      }
      const truth = { presses: times, firstOn, endMs: nowMs + restMs }
      const sent: Omit<SimulatedMessage, 'arrivalMs' | 'number'>[] = []
      const say = (kind: SimulatedMessage['kind'], sentMs: number) => {
        const on = stateIn(truth, sentMs)
        sent.push({ kind, on, sentMs, uptimeMs: uptimeMs + Math.round(sentMs * (1 + drift)) })
      }
      say('snapshot', 0)
      for (const [at, { isSnapshotFirst }] of presses.entries()) {
        for (
          let ms = snapshotEveryMs * Math.ceil((times[at - 1] ?? 1) / snapshotEveryMs);
          ms < (times[at] ?? 0);
          ms += snapshotEveryMs
        )
          say('snapshot', ms)
        for (const kind of isSnapshotFirst ? (['snapshot', 'event'] as const) : (['event', 'snapshot'] as const))
          say(kind, times[at] ?? 0)
      }
      return { truth, messages: delivered(sent, fates, isInOrder) }
    })
}

/** What the relay was at an instant. */
export function stateIn({ presses, firstOn }: Truth, atMs: number): boolean {
  const count = presses.filter((press) => press <= atMs).length
  return (count % 2 === 1) === firstOn
}

function delivered(
  sent: readonly Omit<SimulatedMessage, 'arrivalMs' | 'number'>[],
  fates: Iterable<Fate>,
  isInOrder: boolean,
): SimulatedMessage[] {
  const arrived: SimulatedMessage[] = []
  const iterator = fates[Symbol.iterator]()
  let freeMs = 0
  for (const [number, message] of sent.entries()) {
    const { isLost, isDoubled, delayMs } = iterator.next().value as Fate
    if (isLost && number > 0) continue
    // What is sent while the connection is stalled arrives with what it waits for.
    const isWaiting = isInOrder && message.sentMs < freeMs
    const arrivalMs = isWaiting ? freeMs : message.sentMs + delayMs
    freeMs = arrivalMs
    arrived.push({ ...message, number, arrivalMs })
    // A snapshot that is delivered again is recognized by its packet id, before anybody looks at it.
    if (isDoubled && message.kind === 'event') arrived.push({ ...message, number, arrivalMs: arrivalMs + delayMs })
  }
  return arrived.toSorted((a, b) => a.arrivalMs - b.arrivalMs)
}
