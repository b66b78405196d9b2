import type { Collection, ObjectId } from 'mongodb'
import type { LedgerEntry } from '../entry/entry.js'
import { type Fact, factOf, inOrder } from '../facts/fact.js'
import { partTheirNeighbours } from '../facts/fact-run.js'
import type { Coverage, SegmentStore } from '../log/segment-store.js'
import type { PersonalData } from '../personal/personal-data.js'
import type { Seam } from './archive-entities.js'

/** Entries that a chain keeps of those that are archived, tried in turn until its registers can go on from what it has. */
const keptEntries = [0, 16, 256, 4096]
const factsAtOnce = 5000

/** Finds where chains can begin so that appending goes on as if nothing had been archived. */
export class SeamFinder {
  readonly #entries: () => Collection<LedgerEntry>
  readonly #segments: SegmentStore
  readonly #personalData: () => Collection<PersonalData>

  constructor(
    entries: () => Collection<LedgerEntry>,
    segments: SegmentStore,
    personalData: () => Collection<PersonalData>,
  ) {
    this.#entries = entries
    this.#segments = segments
    this.#personalData = personalData
  }

  /** The seams for a tree of this size; none for a chain that cannot do without its entries. */
  async find(size: number): Promise<Omit<Seam, '_id'>[]> {
    const seams: Omit<Seam, '_id'>[] = []
    for (const coverage of (await this.#segments.coverageAt(size)).values()) {
      const seam = await this.#seamOf(coverage)
      if (seam !== undefined) seams.push(seam)
    }
    return seams
  }

  /** The first entry with personal data that is not erased: it has to be here for that to be possible. */
  async #firstPersonal(switchId: ObjectId): Promise<number> {
    const kept = await this.#personalData()
      .find({ switchId }, { projection: { commitment: 1 } })
      .toArray()
    if (kept.length === 0) return Number.POSITIVE_INFINITY
    const filter = { switchId, personalCommitment: { $in: kept.map(({ commitment }) => commitment) } }
    const first = await this.#entries().findOne(filter, { sort: { sequence: 1 } })
    return first?.sequence ?? Number.POSITIVE_INFINITY
  }

  /** The last entry stays, for the next one goes on from it. */
  async #seamOf({ switchId, sequence: covered }: Coverage): Promise<Omit<Seam, '_id'> | undefined> {
    const head = await this.#entries().findOne({ switchId }, { sort: { sequence: -1 } })
    const limit = Math.min(covered, (head?.sequence ?? 0) - 1, (await this.#firstPersonal(switchId)) - 1)
    for (const kept of keptEntries) {
      const sequence = limit - kept
      if (sequence < 1) return undefined
      const last = await this.#entries().findOne({ switchId, sequence })
      // It is archived already, and so is all before it.
      if (last === null) return undefined
      const until = await this.#latestBefore(last)
      if (partTheirNeighbours(await this.#factsAfter(last, until)))
        return { switchId, sequence, hash: last.hash, deviceId: last.deviceId, classroom: last.classroom, until }
    }
    return undefined
  }

  async #latestBefore({ switchId, sequence, timestamp }: LedgerEntry): Promise<Date> {
    const filter = { switchId, sequence: { $lte: sequence } }
    const latest = await this.#entries().findOne(filter, { sort: { timestamp: -1 } })
    return latest?.timestamp ?? timestamp
  }

  /** The newest facts after an instant, whole instants, in order. */
  async #factsAfter({ switchId }: LedgerEntry, until: Date): Promise<Fact[]> {
    const filter = { switchId, timestamp: { $gt: until } }
    const entries = await this.#entries()
      .find(filter, { sort: { timestamp: -1 }, limit: factsAtOnce })
      .toArray()
    const oldestMs = entries.length < factsAtOnce ? undefined : entries.at(-1)?.timestamp.getTime()
    const whole = entries.filter(({ timestamp }) => timestamp.getTime() !== oldestMs)
    return inOrder(whole.flatMap((entry) => factOf(entry) ?? []))
  }
}
