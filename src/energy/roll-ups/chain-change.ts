import type { ObjectId } from 'mongodb'
import { type Fact, inOrder } from '../../ledger/facts/fact.js'
import { partTheirNeighbours } from '../../ledger/facts/fact-run.js'
import type { FactStore } from '../../ledger/facts/fact-store.js'
import { SwitchMeter } from '../../ledger/facts/switch-meter.js'
import { type FreshEntries, factsOf } from './fresh-entries.js'
import type { SlotTally } from './slot-tally.js'

/** Reads the facts of a chain. */
export type FactSource = Pick<FactStore, 'from' | 'newestThrough'>

/** Meters of chains, each standing where the roll-ups have read to. */
export class MeterMemory {
  readonly #meters = new Map<string, { readonly through: number; readonly meter: SwitchMeter }>()
  readonly #most: number

  constructor(most = 100_000) {
    this.#most = most
  }

  /** Takes the meter out: it is put back once what it has taken is stored. */
  take(switchId: string, through: number): SwitchMeter | undefined {
    const known = this.#meters.get(switchId)
    this.#meters.delete(switchId)
    return known?.through === through ? known.meter : undefined
  }

  put(switchId: string, through: number, meter: SwitchMeter): void {
    this.#meters.set(switchId, { through, meter })
    const oldest = this.#meters.keys().next()
    if (this.#meters.size > this.#most && !oldest.done) this.#meters.delete(oldest.value)
  }
}

/**
 * Adds to the tally what the new entries of a chain change: the energy with them less the energy without them.
 * @returns the meter where the chain stands then; where nothing is new about energy, the one that was known.
 */
export async function addChange(
  tally: SlotTally,
  facts: FactSource,
  { switchId, through, head, entries }: FreshEntries,
  known: SwitchMeter | undefined,
): Promise<SwitchMeter | undefined> {
  const id = switchId.toHexString()
  for (const entry of entries) {
    if (entry.adjustment !== undefined) tally.adjust(id, entry, entry.timestamp.getTime(), entry.adjustment)
  }
  const fresh = inOrder(factsOf(entries))
  if (fresh.length === 0) return known
  const meter = known ?? (await standing(facts, switchId, through))
  const onTime = fresh.findIndex((fact) => meter.isNext(fact))
  const late = onTime === -1 ? fresh : fresh.slice(0, onTime)
  for (const found of meter.take(fresh.slice(late.length))) tally.add(id, found, 1)
  if (late.length === 0) return meter
  const open = new Set(late.map(({ digest }) => digest))
  for (const group of closeTogether(late)) await addAmong(tally, facts, switchId, head, group, open)
  return standing(facts, switchId, head)
}

/** Facts that are further apart than this are looked at apart: what lies between them is not read. */
const farApartMs = 6 * 3_600_000

function closeTogether(facts: readonly Fact[]): Fact[][] {
  const groups: Fact[][] = []
  for (const fact of facts) {
    const group = groups.at(-1)
    const last = group?.at(-1)
    if (group === undefined || last === undefined || fact.atMs - last.atMs > farApartMs) groups.push([fact])
    else group.push(fact)
  }
  return groups
}

/** A meter that stands where a chain does at an entry. */
export async function standing(facts: FactSource, switchId: ObjectId, through: number): Promise<SwitchMeter> {
  const meter = new SwitchMeter()
  if (through > 0) meter.take(await facts.newestThrough(switchId, through))
  return meter
}

/**
 * New facts that come among others, or before them: reads as far around them as they can make a difference.
 * @param open The digests of facts that are not in yet; those of these facts are taken out.
 */
async function addAmong(
  tally: SlotTally,
  facts: FactSource,
  switchId: ObjectId,
  head: number,
  group: readonly Fact[],
  open: Set<Fact['digest']>,
): Promise<void> {
  const id = switchId.toHexString()
  const before = new Set(open)
  for (const { digest } of group) open.delete(digest)
  const fromMs = group[0]?.atMs ?? 0
  const toMs = (group.at(-1)?.atMs ?? 0) + 1
  const withThem = new SwitchMeter()
  const withoutThem = new SwitchMeter()
  let after: readonly Fact[] = []
  for await (const page of facts.from(switchId, fromMs, toMs, head)) {
    for (const found of withThem.take(page.filter(({ digest }) => !open.has(digest)))) tally.add(id, found, 1)
    for (const found of withoutThem.take(page.filter(({ digest }) => !before.has(digest)))) tally.add(id, found, -1)
    after = [...after, ...page.filter(({ atMs, digest }) => atMs >= toMs && !before.has(digest))]
    if (after.length > 0 && partTheirNeighbours(after)) return
  }
}
