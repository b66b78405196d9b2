import type { ClientSession } from 'mongodb'
import type { LedgerEvent } from '../entry/entry.js'
import { type Fact, factOf } from '../facts/fact.js'
import type { FactStore } from '../facts/fact-store.js'
import { windowsOf } from '../facts/fact-windows.js'
import type { Chain } from './chain.js'
import type { ChainFacts } from './chain-facts.js'

/** Facts that come late in a chain. */
interface Late {
  readonly known: ChainFacts
  readonly facts: readonly Fact[]
}

/** Each reaches four times as far as the one before: from 20 seconds to 60 days. */
const rounds = 10
const widening = 4
/** Where more was found than can be read. */
const narrowing = 1 / 8
/** So many are looked up one by one. */
const fewFacts = 2

/**
 * Reads what is around those of the events that come late in their chains, for all of them at once: in ranges of time that
 * become wider for those with nothing near. So many late events take a few queries, in whatever order they come.
 * @param batch The events in the order in which they will be appended, all of chains that are given.
 */
export async function readAroundLate(
  batch: readonly LedgerEvent[],
  chains: ReadonlyMap<string, Chain>,
  store: FactStore,
  session: ClientSession | undefined,
): Promise<void> {
  const late = lateOf(batch, chains)
  if (late.length === 0) return
  let open = unplaced(await withoutArchived(late, store, session))
  for (let round = 1; round <= rounds && countOf(open) > fewFacts; round += 1) {
    const isRead = await readAround(open, store, session)
    const rest = unplaced(open)
    for (const { known } of rest) known.changeReach(isRead ? widening : narrowing)
    // The density of facts grows as they come: less is likely to do next time.
    if (round === 1) for (const { known } of open) if (!rest.some((one) => one.known === known)) known.changeReach(0.5)
    open = rest
  }
}

/** The facts of events that happened before the newest entry, or before one that comes before them in the batch. */
function lateOf(batch: readonly LedgerEvent[], chains: ReadonlyMap<string, Chain>): Late[] {
  const newestMs = new Map<Chain, number>()
  const late = new Map<Chain, Fact[]>()
  for (const event of batch) {
    const chain = chains.get(event.switchId.toHexString())
    if (chain === undefined) continue
    const atMs = event.timestamp.getTime()
    const latestMs = newestMs.get(chain) ?? chain.newestMs
    newestMs.set(chain, Math.max(latestMs, atMs))
    const fact = atMs < latestMs ? factOf(event) : undefined
    if (fact === undefined) continue
    const facts = late.get(chain)
    if (facts === undefined) late.set(chain, [fact])
    else facts.push(fact)
  }
  return [...late].map(([{ facts: known }, facts]) => ({ known, facts }))
}

/** Those whose neighbours are not known. */
function unplaced(late: readonly Late[]): Late[] {
  return late.flatMap(({ known, facts }) => {
    const rest = facts.filter((fact) => !known.isPlaced(fact))
    return rest.length === 0 ? [] : [{ known, facts: rest }]
  })
}

function countOf(late: readonly Late[]): number {
  return late.reduce((sum, { facts }) => sum + facts.length, 0)
}

/** Leaves out, and forgets, what is so long ago that it may be archived: that is looked up, and refused. */
async function withoutArchived(
  late: readonly Late[],
  store: FactStore,
  session: ClientSession | undefined,
): Promise<Late[]> {
  const old = late.filter(({ known, facts }) => !facts.every((fact) => known.isRecent(fact)))
  if (old.length === 0) return [...late]
  const untilMs = await store.archivedUntil(
    old.map(({ known }) => known.switchId),
    session,
  )
  return late.map(({ known, facts }) => {
    const until = untilMs.get(known.switchId.toHexString())
    if (until === undefined) return { known, facts }
    known.forgetUntil(until)
    return { known, facts: facts.filter(({ atMs }) => atMs > until) }
  })
}

/** @returns false if there was more around them than can be read. */
async function readAround(
  open: readonly Late[],
  store: FactStore,
  session: ClientSession | undefined,
): Promise<boolean> {
  const wanted = open.map(({ known, facts }) => ({ known, spans: known.lacking(facts) }))
  const spans = wanted.flatMap(({ known: { switchId }, spans: own }) => own.map((span) => ({ ...span, switchId })))
  const found = await store.within(spans, session)
  if (found === undefined) return false
  for (const { known, spans: own } of wanted) {
    known.learn(windowsOf(own, found.get(known.switchId.toHexString()) ?? []))
  }
  // Asked for afterwards: what was archived meanwhile may be missing.
  await withoutArchived(open, store, session)
  return true
}
