import type { Database } from '../../../core/database.js'
import type { LedgerEntry } from '../../../ledger/entry/entry.js'
import { type FactEntry, factFields, factOf, inOrder } from '../../../ledger/facts/fact.js'
import { type FactStretch, SwitchMeter } from '../../../ledger/facts/switch-meter.js'
import type { Ledger } from '../../../ledger/ledger.js'
import { type LegacyRecord, startKey } from './legacy-record.js'

type Entry = FactEntry & { readonly metadata: Pick<LedgerEntry['metadata'], 'originalRecordId'> }

const projection = { ...factFields, 'metadata.originalRecordId': 1 } as const

/**
 * The entries of a switch in the order of time, gone through beside its records, which come in the same order: whether a record
 * is among them, and what energy they come to.
 */
export class SwitchLedger {
  readonly #entries: AsyncGenerator<Entry, void, undefined>
  readonly #onStretch: (found: FactStretch) => void
  readonly #meter = new SwitchMeter()
  /** The keys of records that were found, and whose energy is still to come. */
  readonly #open = new Set<string>()
  /** Entries of one instant, whose order their keys decide. */
  #instant: Entry[] = []
  #next: Entry | undefined
  #isBegun = false

  /** @param onStretch Is given the energy of records that were found here. */
  constructor(
    database: Database,
    ledger: Ledger,
    { switchId }: Pick<LegacyRecord, 'switchId'>,
    onStretch: (found: FactStretch) => void,
  ) {
    const entries = database.of(ledger.entity, { isDurable: true }).for('migrations')
    this.#entries = entries.stream<Entry>({ switchId }, { projection, sort: { timestamp: 1 } })
    this.#onStretch = onStretch
  }

  /** Whether the record has its entries. To be asked in the order of the records' starts. */
  async has({ id, startMs }: LegacyRecord): Promise<boolean> {
    await this.#readThrough(startMs)
    const key = startKey(id)
    const isThere = this.#instant.some(
      ({ timestamp, idempotencyKey }) => timestamp.getTime() === startMs && idempotencyKey === key,
    )
    if (isThere) this.#open.add(key)
    return isThere
  }

  /** Reads on as long as the energy of a record is to come. */
  async end(): Promise<void> {
    while (this.#open.size > 0 && (await this.#peek()) !== undefined) await this.#take()
    this.#flush()
  }

  async close(): Promise<void> {
    await this.#entries.return(undefined)
  }

  async #readThrough(untilMs: number): Promise<void> {
    for (let next = await this.#peek(); next !== undefined; next = await this.#peek()) {
      if (next.timestamp.getTime() > untilMs) return
      await this.#take()
    }
  }

  async #take(): Promise<void> {
    const entry = await this.#peek()
    if (entry === undefined) return
    if (this.#instant[0]?.timestamp.getTime() !== entry.timestamp.getTime()) this.#flush()
    this.#instant.push(entry)
    this.#next = await this.#read()
  }

  async #peek(): Promise<Entry | undefined> {
    if (!this.#isBegun) this.#next = await this.#read()
    this.#isBegun = true
    return this.#next
  }

  async #read(): Promise<Entry | undefined> {
    const { value, done } = await this.#entries.next()
    return done === true ? undefined : value
  }

  #flush(): void {
    const facts = inOrder(this.#instant.flatMap((entry) => factOf(entry) ?? []))
    this.#instant = []
    for (const found of this.#meter.take(facts)) {
      const { digest } = found.since
      if (digest !== undefined && this.#open.delete(digest)) this.#onStretch(found)
    }
  }
}
