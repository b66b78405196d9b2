import type { ObjectId } from 'mongodb'
import type { Database } from '../../../core/database.js'
import type { Ledger } from '../../../ledger/ledger.js'
import { endKey, type LegacyRecord, legacyKey } from './legacy-record.js'

/** What the ledger has of a switch that these records do not come from, and whether some of them are there already. */
interface KnownSwitch {
  /** Epoch milliseconds; of its first entry that is from another source. Infinity without any. */
  readonly othersFromMs: number
  readonly hasLegacy: boolean
}

/** The first key after all that begin with {@link legacyKey}. */
const afterLegacy = legacyKey.replace(':', ';')
const fromLegacy = { idempotencyKey: { $gte: legacyKey, $lt: afterLegacy } }
const fromOthers = { $or: [{ idempotencyKey: { $lt: legacyKey } }, { idempotencyKey: { $gte: afterLegacy } }] }
const projection = { _id: 0, timestamp: 1 } as const

/** Asks the ledger what it has already. What is from other sources is asked once for each switch. */
export class LegacyLedger {
  readonly #database: Database
  readonly #ledger: Ledger
  readonly #known = new Map<string, KnownSwitch>()

  constructor(database: Database, ledger: Ledger) {
    this.#database = database
    this.#ledger = ledger
  }

  async of(switchId: ObjectId): Promise<KnownSwitch> {
    const key = switchId.toHexString()
    const known = this.#known.get(key) ?? (await this.#read(switchId))
    this.#known.set(key, known)
    return known
  }

  /** The ids of those records that are there. */
  async idsOfStored(records: readonly LegacyRecord[]): Promise<ReadonlySet<string>> {
    const stored = new Set<string>()
    for (const [id, ofSwitch] of bySwitch(records)) {
      if (!(await this.of(id)).hasLegacy) continue
      const found = await this.#entries.find<{ metadata: { originalRecordId: string } }>(
        { switchId: id, idempotencyKey: { $in: ofSwitch.map((record) => endKey(record.id)) } },
        { projection: { 'metadata.originalRecordId': 1 } },
      )
      for (const { metadata } of found) stored.add(metadata.originalRecordId)
    }
    return stored
  }

  /** Whether another record's entries, which are there already, lie within the record's time. */
  async isCrossed({ switchId, startMs, endMs }: LegacyRecord): Promise<boolean> {
    if (!(await this.of(switchId)).hasLegacy) return false
    const timestamp = { $gt: new Date(startMs), $lt: new Date(endMs) }
    return (await this.#entries.findOne({ switchId, timestamp }, { projection: { _id: 1 } })) !== null
  }

  async #read(switchId: ObjectId): Promise<KnownSwitch> {
    const own = await this.#entries.findOne({ switchId, ...fromLegacy }, { projection })
    return { othersFromMs: await this.#othersFromMs(switchId), hasLegacy: own !== null }
  }

  /** Only where there are others the chain is gone through for the first of them. */
  async #othersFromMs(switchId: ObjectId): Promise<number> {
    const others = { switchId, ...fromOthers }
    if ((await this.#entries.findOne(others, { projection })) === null) return Number.POSITIVE_INFINITY
    const first = await this.#entries.findOne<{ timestamp: Date }>(others, { sort: { timestamp: 1 }, projection })
    return first?.timestamp.getTime() ?? Number.POSITIVE_INFINITY
  }

  get #entries() {
    return this.#database.of(this.#ledger.entity, { isOutside: true, isDurable: true }).for('migrations')
  }
}

function bySwitch(records: readonly LegacyRecord[]): (readonly [ObjectId, readonly LegacyRecord[]])[] {
  const groups = new Map<string, LegacyRecord[]>()
  for (const record of records) {
    const key = record.switchId.toHexString()
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [record])
    else group.push(record)
  }
  return [...groups.values()].flatMap((group) => (group[0] === undefined ? [] : [[group[0].switchId, group] as const]))
}
