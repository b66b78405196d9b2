import { describe, expect, it } from 'vitest'
import { type Fact, factOf, inOrder } from '../../../src/ledger/facts/fact.js'
import { changeAmong, sumOf } from '../../../src/ledger/facts/register.js'
import { SwitchMeter } from '../../../src/ledger/facts/switch-meter.js'
import { anEvent, aSwitchInLedger, at, type HostEvent } from '../support/events.js'

const own = aSwitchInLedger()
const facts = (...events: HostEvent[]): Fact[] => inOrder(events.flatMap((event) => factOf(event) ?? []))
const power = (seconds: number, powerW: number, overrides: Partial<HostEvent> = {}) =>
  anEvent({ ...own, timestamp: at(seconds), reading: { powerW }, ...overrides })
const rated = (seconds: number, on: boolean, overrides: Partial<HostEvent> = {}) =>
  anEvent({
    ...own,
    timestamp: at(seconds),
    eventType: on ? 'switch_on' : 'switch_off',
    powerState: on,
    powerRating: 60,
    energySource: 'rated',
    reading: undefined,
    ...overrides,
  })
const counter = (seconds: number, energyWh: number, overrides: Partial<HostEvent> = {}) =>
  anEvent({
    ...own,
    timestamp: at(seconds),
    energySource: 'counter',
    reading: { energyWh, counterQuantumWh: 1 },
    ...overrides,
  })
/** Watt-seconds consumed. */
const consumed = (...events: HostEvent[]) => sumOf(new SwitchMeter().take(facts(...events))).consumedMws / 1000
const kwh = 3.6e6

describe("a switch's energy", () => {
  it('is each power until the next reading', () => {
    expect(consumed(power(0, 100), power(60, 10), power(90, 0))).toBe(6000 + 300)
  })

  it('is missing between powers further apart than the gap limit, and whole at the limit', () => {
    expect(consumed(power(0, 100), power(300, 0))).toBe(30_000)
    expect(consumed(power(0, 100), power(300.001, 0))).toBe(0)
  })

  it('is missing from a reading that was refused to the next one', () => {
    const refused = power(60, 0, { eventType: 'refused_reading', reading: undefined })
    expect(consumed(power(0, 100), refused, power(120, 10), power(130, 0))).toBe(6000 + 100)
    const stretches = new SwitchMeter().take(facts(power(0, 100), refused, power(120, 10)))
    expect(stretches.map(({ stretch }) => stretch.quality)).toEqual(['measured', 'missing'])
  })

  it('is none the less for a reading of a counter, or of a rated switch, that was refused', () => {
    const refused = { eventType: 'refused_reading', reading: undefined } as const
    expect(consumed(counter(0, 100), counter(60, 0, refused), counter(120, 110))).toBe(36_000)
    expect(consumed(rated(0, true), rated(60, false, refused), rated(120, false))).toBe(60 * 120)
  })

  it('is produced while the power is negative', () => {
    const sum = sumOf(new SwitchMeter().take(facts(power(0, -100), power(60, 0))))
    expect(sum).toEqual({ consumedMws: 0, producedMws: 6_000_000, cost: 0 })
  })

  it('is produced, whatever the source and the sign, where the source tells of production', () => {
    const own = { energyDirection: 'production' } as const
    const sumsOf = (...events: HostEvent[]) => sumOf(new SwitchMeter().take(facts(...events)))
    const powers = sumsOf(power(0, 100, own), power(60, -50, own), power(120, 0, own))
    expect(powers).toMatchObject({ consumedMws: 0, producedMws: 9_000_000 })
    const counts = sumsOf(counter(0, 100, own), counter(3600, 105, own))
    expect(counts).toMatchObject({ consumedMws: 0, producedMws: 5 * 3_600_000 })
    expect(sumsOf(rated(0, true, own), rated(60, false, own))).toMatchObject({ consumedMws: 0, producedMws: 3_600_000 })
  })

  it('changes its direction at the reading that says so', () => {
    const own = { energyDirection: 'production' } as const
    const sum = sumOf(new SwitchMeter().take(facts(counter(0, 0), counter(60, 10, own), counter(120, 30))))
    expect(sum).toMatchObject({ consumedMws: 36_000_000, producedMws: 72_000_000 })
  })

  it('is the rating while on, and after a silence only where the switch came back as it was', () => {
    expect(consumed(rated(0, true), rated(3600, false))).toBe(60 * 3600)
    expect(consumed(rated(0, true), rated(3600, true, { silentSince: at(600) }))).toBe(60 * 3600)
    expect(consumed(rated(0, true), rated(3600, false, { silentSince: at(600) }))).toBe(60 * 600)
  })

  it('is what a counter counts, glitches left out, resets and rollovers put in', () => {
    expect(consumed(counter(0, 100_000), counter(3600, 105_000), counter(7200, 0), counter(10_800, 106_000))).toBe(
      6 * kwh,
    )
    const reset = [counter(0, 100_000), counter(3600, 0), counter(7200, 1200), counter(10_800, 1300)]
    expect(consumed(...reset)).toBe(1.3 * kwh)
    const width = { reading: { energyWh: 3, counterWidthWh: 65_536 } }
    expect(
      consumed(counter(0, 65_530, { reading: { energyWh: 65_530, counterWidthWh: 65_536 } }), counter(60, 3, width)),
    ).toBe(9 * 3600)
  })

  it('begins at a new zero point where a counter is read again after another source', () => {
    expect(consumed(counter(0, 100), counter(60, 110), power(120, 60), counter(180, 500), counter(240, 501))).toBe(
      10 * 3600 + 60 * 60 + 3600,
    )
  })

  it('goes by the rules of each counter reading, and by its count across a change of the rules', () => {
    const generous = { reading: { energyWh: 1100, maximumPower: 1e6 } }
    expect(consumed(counter(0, 1000), counter(60, 1100, generous))).toBe(100 * 3600)
    const narrow = { reading: { energyWh: 1100, maximumPower: 1 } }
    expect(consumed(counter(0, 1000), counter(60, 1100, narrow))).toBe(0)
  })

  it('passes over a counter width that is no more than a few steps', () => {
    const tooNarrow = (seconds: number, energyWh: number) =>
      counter(seconds, energyWh, { reading: { energyWh, counterQuantumWh: 1, counterWidthWh: 10 } })
    expect(consumed(tooNarrow(0, 5), tooNarrow(60, 9))).toBe(4 * 3600)
  })

  it('is none, and the time missing, for a load that nobody can count', () => {
    const stretches = new SwitchMeter().take(
      facts(
        power(0, 1e9, { gapLimitMs: 1e9 }),
        power(1e6, 0),
        rated(2e6, true, { powerRating: 1e6 }),
        rated(2e7, false),
      ),
    )
    expect(sumOf(stretches).consumedMws).toBe(0)
    expect(stretches.map(({ stretch }) => stretch.quality)).toEqual(['missing', 'missing', 'missing'])
  })

  it('is none, and known, for a huge load that is off', () => {
    const stretches = new SwitchMeter().take(facts(rated(0, false, { powerRating: 1e6 }), rated(2e7, true)))
    expect(stretches).toMatchObject([{ stretch: { consumedMws: 0, quality: 'measured' } }])
  })
})

describe('a switch meter', () => {
  it('tells of a rated switch that is still on up to the last sign of life', () => {
    const meter = new SwitchMeter()
    expect(meter.until(at(60).getTime())).toEqual([])
    meter.take(facts(rated(0, true)))
    expect(meter.until(at(0).getTime())).toEqual([])
    expect(sumOf(meter.until(at(60).getTime())).consumedMws).toBe(60 * 60_000)
    meter.take(facts(power(90, 5)))
    expect(meter.until(at(600).getTime())).toEqual([])
  })

  it('knows what comes next: counter readings of one instant have to come together', () => {
    const meter = new SwitchMeter()
    const [first, same, later] = facts(counter(0, 1), counter(0, 2), counter(1, 3)) as [Fact, Fact, Fact]
    expect(meter.isNext(first)).toBe(true)
    meter.take([first])
    expect([meter.isNext(same), meter.isNext(later)]).toEqual([false, true])
  })

  it('keeps the price and the classroom of the reading at which a stretch began', () => {
    const [early, late] = [counter(0, 100, { ratePerKwh: 1 }), counter(3600, 101, { ratePerKwh: 2 })]
    const spike = counter(1800, 90_000_000, { ratePerKwh: 9 })
    expect(sumOf(new SwitchMeter().take(facts(early, spike, late, counter(7200, 103, { ratePerKwh: 1 })))).cost).toBe(
      (1 * 1 + 2 * 2) / 1000,
    )
  })

  it('prices by the last of readings of one instant', () => {
    const told = (deviceSequence: number, ratePerKwh: number) =>
      counter(0, 100, { ratePerKwh, metadata: { source: 'mqtt', deviceSequence } })
    const events = [told(2, 5), told(1, 1), counter(-60, 100, { ratePerKwh: 1 }), counter(60, 200)]
    expect(sumOf(new SwitchMeter().take(facts(...events))).cost).toBe(0.5)
  })
})

describe('what a late fact changes', () => {
  it('is the energy with it less the energy without it', () => {
    const others = facts(power(0, 100), power(60, 0))
    expect(changeAmong(others, facts(power(30, 40))[0]!)).toEqual({
      consumedMws: -1_800_000,
      producedMws: 0,
      cost: expect.closeTo((-1800 * 7.5) / 3.6e6, 12),
    })
    expect(changeAmong([], others[0]!)).toEqual({ consumedMws: 0, producedMws: 0, cost: 0 })
  })
})
