import fc from 'fast-check'
import { ObjectId } from 'mongodb'
import { expect, it } from 'vitest'
import { addChange, type FactSource } from '../../../src/energy/rollups/chain-change.js'
import { factsOf } from '../../../src/energy/rollups/fresh-entries.js'
import { SlotTally } from '../../../src/energy/rollups/slot-tally.js'
import { SlotCalendar } from '../../../src/energy/tariffs/slot-calendar.js'
import { type Fact, inOrder } from '../../../src/ledger/facts/fact.js'
import { partTheirNeighbours } from '../../../src/ledger/facts/fact-run.js'
import type { EnergyEntry } from '../../../src/ledger/facts/stored-fact.js'
import { SwitchMeter } from '../../../src/ledger/facts/switch-meter.js'
import type { HostEvent } from '../../ledger/support/events.js'
import { histories } from '../../ledger/support/histories.js'

/** Entries in a list, read as the ledger reads them. */
class ListedFacts implements FactSource {
  readonly entries: EnergyEntry[] = []

  async newestThrough(_switchId: ObjectId, throughSequence: number): Promise<readonly Fact[]> {
    return this.#through(throughSequence)
  }

  async *from(_switchId: ObjectId, fromMs: number, _toMs: number, throughSequence = Number.POSITIVE_INFINITY) {
    const facts = this.#through(throughSequence)
    yield neededBefore(facts.filter(({ atMs }) => atMs < fromMs))
    for (const instant of new Set(facts.filter(({ atMs }) => atMs >= fromMs).map(({ atMs }) => atMs)))
      yield facts.filter(({ atMs }) => atMs === instant)
  }

  #through(sequence: number): Fact[] {
    return inOrder(factsOf(this.entries.filter((entry) => entry.sequence <= sequence)))
  }
}

/** As few of the last facts as part what is before them from what comes after. */
function neededBefore(facts: readonly Fact[]): readonly Fact[] {
  const instants = [...new Set(facts.map(({ atMs }) => atMs))].reverse()
  for (const fromMs of instants) {
    const last = facts.filter(({ atMs }) => atMs >= fromMs)
    if (partTheirNeighbours(last)) return last
  }
  return facts
}

const zones = ['UTC', 'Asia/Kathmandu', 'Australia/Lord_Howe', 'America/St_Johns']

/** What is in each slot, in order. */
function contents(tally: SlotTally) {
  const slots = [...tally.days].flatMap(([key, { switches }]) =>
    [...switches.values()].flatMap(({ slots }) =>
      [...slots].filter(([, numbers]) => !numbers.isEmpty).map(([at, numbers]) => [`${key} ${at}`, { ...numbers }]),
    ),
  )
  return Object.fromEntries(slots)
}

it.each([['rated'], ['power'], ['counter'], ['rated', 'power', 'counter']] as const)(
  'adds up to the same, whatever the order, the batches and the price cuts (%s)',
  async (...sources) => {
    await fc.assert(
      fc.asyncProperty(
        histories(...sources),
        fc.infiniteStream(fc.nat()),
        fc.constantFrom(...zones),
        fc.nat({ max: 3_599_999 }),
        async (history, stream, zone, cutMs) => {
          const draw = (below: number) => (stream.next().value as number) % below
          const calendar = calendarCutAt(zone, cutMs)
          const switchId = new ObjectId()
          const facts = new ListedFacts()
          const tally = new SlotTally(() => calendar)
          let through = 0
          let meter: SwitchMeter | undefined
          const update = async () => {
            const head = facts.entries.length
            const entries = facts.entries.slice(through)
            meter = await addChange(tally, facts, { switchId, through, head, entries }, meter)
            through = head
          }
          for (const event of shuffled(history, draw)) {
            const isKnown = facts.entries.some(({ idempotencyKey }) => idempotencyKey === event.idempotencyKey)
            if (!isKnown) facts.entries.push({ ...event, switchId, sequence: facts.entries.length + 1 })
            if (draw(4) === 0) await update()
          }
          await update()
          const whole = new SlotTally(() => calendar)
          const found = new SwitchMeter().take(inOrder(factsOf(facts.entries)))
          for (const one of found) whole.add(switchId.toHexString(), one, 1)
          expect(contents(tally)).toEqual(contents(whole))
          const energyMws = found.reduce((sum, { stretch }) => sum + stretch.consumedMws, 0)
          const inSlots = Object.values(contents(whole)) as { energyMws: number }[]
          expect(inSlots.reduce((sum, slot) => sum + slot.energyMws, 0)).toBe(energyMws)
        },
      ),
      { numRuns: 500 },
    )
  },
)

/** Hours are cut once more, so long after they begin. */
function calendarCutAt(zone: string, cutMs: number): SlotCalendar {
  return new SlotCalendar(zone, (fromMs, toMs) =>
    cutMs > 0 && fromMs + cutMs < toMs
      ? [
          { fromMs, price: undefined },
          { fromMs: fromMs + cutMs, price: undefined },
        ]
      : [],
  )
}

/** Half of the events in their order, half of them anywhere, some twice. */
function shuffled(history: readonly HostEvent[], draw: (below: number) => number): HostEvent[] {
  const left = [...history]
  const events: HostEvent[] = []
  while (left.length > 0) {
    const [event] = left.splice(draw(2) === 0 ? 0 : draw(left.length), 1)
    if (event !== undefined) events.push(event, ...(draw(5) === 0 ? [event] : []))
  }
  return events
}
