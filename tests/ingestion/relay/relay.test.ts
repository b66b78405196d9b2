import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import type { KnownDevice } from '../../../src/ingestion/device-directory.js'
import { OrderedDevice } from '../../../src/ingestion/ordered-device.js'
import type { LedgerEvent } from '../../../src/ledger/entry/entry.js'
import { aDevice } from '../../support/builders.js'
import { runs } from '../../support/extent.js'
import {
  deployed,
  type SimulatedMessage,
  type Simulation,
  simulations,
  stateIn,
  type Truth,
} from './simulated-relay.js'

const startMs = Date.parse('2026-03-01T00:00:00Z')
const gpio = 16

function aKnownDevice(): KnownDevice {
  const classroom = new ObjectId()
  const relay = {
    _id: new ObjectId(),
    name: 'light',
    gpio,
    type: 'light',
    powerRating: 100,
    energySource: 'rated' as const,
    manualOverride: false,
    classroom,
  }
  const document = {
    ...aDevice(),
    _id: new ObjectId(),
    switches: [relay],
    __v: 0,
  } as unknown as KnownDevice['document']
  return {
    id: document._id,
    classroom,
    timeZone: 'UTC',
    tariff: 'default',
    gapLimitMs: 300_000,
    switches: new Map([[gpio, relay]]),
    ratedSwitches: [relay],
    document,
  }
}

interface Taken {
  readonly device: OrderedDevice
  readonly events: readonly LedgerEvent[]
  /** What the relay was believed to be after each message. */
  readonly believed: readonly (boolean | undefined)[]
}

/** What a device makes of messages, in order of arrival. */
function take(messages: readonly SimulatedMessage[]): Taken {
  const known = aKnownDevice()
  const device = new OrderedDevice(known, { aliveMs: undefined, boot: undefined, changes: new Map(), keys: [] })
  const events: LedgerEvent[] = []
  const believed: (boolean | undefined)[] = []
  for (const [at, { kind, on, uptimeMs, arrivalMs: ms }] of messages.entries()) {
    const from = { device: { macAddress: 'x' }, credential: { kind: 'broker' } } as const
    const arrivalMs = startMs + ms
    const arrival = { arrivalMs, waitingSinceMs: arrivalMs, prices: { at: () => 0 }, mark: String(at) }
    if (kind === 'snapshot') {
      events.push(...device.takeSnapshot({ kind: 'snapshot', ...from, switches: [{ gpio, on }] }, arrival))
    } else {
      const report = {
        kind: 'switch',
        ...from,
        gpio,
        on,
        cause: 'manual',
        time: { kind: 'uptime', ms: uptimeMs },
      } as const
      events.push(...device.takeSwitch(report, known.ratedSwitches[0]!, arrival).events)
    }
    believed.push(events.at(-1)?.powerState)
  }
  return { device, events, believed }
}

/** Milliseconds for which the relay was on. */
function onTime(truth: Truth): number {
  const edges = [0, ...truth.presses, truth.endMs]
  return edges.slice(1).reduce((sum, to, at) => sum + (stateIn(truth, edges[at] ?? 0) ? to - (edges[at] ?? 0) : 0), 0)
}

function onTimeOf(events: readonly LedgerEvent[], endMs: number): number {
  const changes = events.map(({ timestamp, powerState }) => ({ atMs: timestamp.getTime() - startMs, on: powerState }))
  const sorted = changes.toSorted((a, b) => a.atMs - b.atMs)
  return sorted.reduce(
    (sum, { atMs, on }, at) => sum + (on ? Math.max(0, (sorted[at + 1]?.atMs ?? endMs) - atMs) : 0),
    0,
  )
}

/** How often the relay is seen to be in another state than before: as much as messages allow to know. */
function changesSeen(messages: readonly SimulatedMessage[]): number {
  const first = messages.filter(({ number }, at) => messages.findIndex((other) => other.number === number) === at)
  return first.filter(({ on }, at) => at > 0 && on !== first[at - 1]?.on).length
}

/** For how long nobody could know that the relay was off: from each such press to the first message after it. */
function unknowable({ truth, messages }: Simulation, endMs: number): number {
  return truth.presses
    .filter((pressMs) => !stateIn(truth, pressMs))
    .reduce((sum, pressMs) => {
      const shown = messages.find(({ sentMs }) => sentMs >= pressMs)
      return sum + (shown?.arrivalMs ?? endMs) - pressMs
    }, 0)
}

describe('a relay whose messages are lost, cut, doubled and stalled', () => {
  it('has as many presses as messages allow to know, and never more than there were', () => {
    fc.assert(
      fc.property(simulations(deployed), ({ truth, messages }) => {
        const { events } = take(messages)
        expect(events.length - 1).toBe(changesSeen(messages))
        expect(events.length - 1).toBeLessThanOrEqual(truth.presses.length)
      }),
      { numRuns: runs(1500) },
    )
  })

  it('is believed to be in the state that the last message showed', () => {
    fc.assert(
      fc.property(simulations(deployed), ({ messages }) => {
        const { device } = take(messages)
        expect(device.isOn(gpio)).toBe(messages.toSorted((a, b) => a.number - b.number).at(-1)?.on)
      }),
      { numRuns: runs(1500) },
    )
  })

  it('has no more energy than there was, but for what nobody could know', () => {
    fc.assert(
      fc.property(simulations(deployed), (simulation) => {
        const { truth, messages } = simulation
        const { events } = take(messages)
        const endMs = Math.max(truth.endMs, messages.at(-1)?.arrivalMs ?? 0)
        const excess = onTimeOf(events, endMs) - onTime({ ...truth, endMs })
        // Clocks agree about each press within half a second, and what it drifts meanwhile.
        expect(excess).toBeLessThanOrEqual(unknowable(simulation, endMs) + 600 * truth.presses.length)
      }),
      { numRuns: runs(1500) },
    )
  })

  it('is never taken for one that has started again', () => {
    fc.assert(
      fc.property(simulations(deployed), ({ messages }) => {
        const { events } = take(messages)
        expect(events.filter(({ flags }) => flags.includes('reboot'))).toEqual([])
        expect(
          new Set(events.map(({ metadata }) => metadata.bootId).filter((id) => id !== undefined)).size,
        ).toBeLessThan(2)
      }),
      { numRuns: runs(1000) },
    )
  })
})

describe('an event that is held up alone', () => {
  it('is no press of its own, where presses are far enough apart for the clocks to tell', () => {
    const alone = {
      waits: fc.integer({ min: 60_000, max: 200_000 }),
      delays: fc.oneof(fc.integer({ min: 60, max: 200 }), fc.integer({ min: 200, max: 20_000 })),
      isInOrder: false,
    }
    fc.assert(
      fc.property(simulations(alone), ({ truth, messages }) => {
        const inTime = messages.map((one) => (one.kind === 'snapshot' ? { ...one, arrivalMs: one.sentMs + 50 } : one))
        const { events } = take(inTime.toSorted((a, b) => a.arrivalMs - b.arrivalMs))
        expect(events.length - 1).toBeLessThanOrEqual(truth.presses.length)
      }),
      { numRuns: runs(1000) },
    )
  })
})

describe('an event next to snapshots', () => {
  const snapshot = (ms: number, on: boolean): SimulatedMessage => message('snapshot', ms, on)
  const event = (ms: number, on: boolean, arrivalMs = ms): SimulatedMessage => message('event', ms, on, arrivalMs)
  const message = (kind: SimulatedMessage['kind'], ms: number, on: boolean, arrivalMs = ms): SimulatedMessage => ({
    kind,
    number: ms,
    on,
    sentMs: ms,
    uptimeMs: 1_000_000 + ms,
    arrivalMs,
  })
  const statesOf = (...messages: SimulatedMessage[]) => take(messages).events.map(({ powerState }) => powerState)

  it.each([
    ['a first message', []],
    ['a clock that is known', [event(0, true)]],
  ])('is a press of its own after a snapshot off and one on whose events were lost, with %s', (_, before) => {
    const states = statesOf(
      ...before,
      snapshot(1000, true),
      snapshot(10_000, false),
      snapshot(12_000, true),
      event(14_000, false),
    )
    expect(states).toEqual([true, false, true, false])
  })

  it('is a press of its own within fractions of a second too', () => {
    expect(statesOf(event(0, true), snapshot(10_000, false), snapshot(10_300, true), event(10_600, false))).toEqual([
      true,
      false,
      true,
      false,
    ])
  })

  it('is the press that the snapshot has shown, whichever comes first', () => {
    expect(statesOf(snapshot(0, false), snapshot(1000, true), event(1100, true))).toEqual([false, true])
    expect(statesOf(snapshot(0, false), event(1000, true), snapshot(1100, true))).toEqual([false, true])
  })

  it('is the press of an earlier snapshot if the clocks leave no doubt that it was held up alone', () => {
    const late = [
      snapshot(0, true),
      event(10_000, false),
      snapshot(10_100, false),
      event(60_000, true),
      snapshot(60_100, true),
    ]
    const states = statesOf(...late, snapshot(100_000, false), snapshot(130_000, true), event(99_900, false, 140_000))
    expect(states).toEqual([true, false, true, false, true])
  })
})
