import type { Document } from 'mongodb'
import { compiled } from '../../../core/compiled-schema.js'
import type { Entity, StoredFields } from '../../../core/entity.js'
import { ConflictError } from '../../../core/errors.js'
import { issuesOf } from '../../../core/validate.js'
import type { AdoptionContext } from '../context.js'
import type { Kept } from '../findings.js'
import type { Finding } from '../map/mapped.js'
import { idKey } from '../map/values.js'
import { changedOnBothSides, conflictReason, digestOf, validationReason } from '../store-registry.js'
import type { MarketRow } from './market-row.js'

/** A row of the origin with what it becomes, or why it becomes nothing. */
export interface ReadRow<Stored> {
  readonly document: Document
  readonly mapped: MarketRow<Stored> | string
}

interface FittingRow<Stored> {
  readonly document: Document
  readonly row: MarketRow<Stored>
  readonly digest: string
}

/** Stores rows of one table of the origin's market. */
export class MarketHistory<Stored extends StoredFields> {
  readonly #context: AdoptionContext
  readonly #entity: Entity<Stored>
  readonly #collection: string
  readonly #ready: () => Promise<void>

  /** @param ready Called before anything is written. */
  constructor(context: AdoptionContext, entity: Entity<Stored>, collection: string, ready: () => Promise<void>) {
    this.#context = context
    this.#entity = entity
    this.#collection = collection
    this.#ready = ready
  }

  /**
   * Stores what is not here yet, and what has changed in the origin and not here.
   * @returns how many of the rows are here now.
   */
  async store(rows: readonly ReadRow<Stored>[]): Promise<number> {
    const { store, database } = this.#context
    const fitting = rows.flatMap((row) => this.#fitting(row))
    let count = fitting.length
    if (count > 0) await this.#ready()
    if (store !== undefined && count > 0) {
      try {
        this.#note(await database.transactions.run(() => this.#write(fitting)))
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error
        count = await this.#storeEach(fitting)
      }
    }
    await store?.flush()
    return count
  }

  #fitting({ document, mapped }: ReadRow<Stored>): FittingRow<Stored>[] {
    const leave = (reason: string) => this.#context.leave(this.#collection, document, reason)
    if (typeof mapped === 'string') {
      leave(mapped)
      return []
    }
    const parsed = compiled(this.#entity.inputSchema).safeParse(mapped.fields)
    if (!parsed.success) {
      leave(validationReason({ issues: issuesOf(parsed.error, mapped.fields) }))
      return []
    }
    const reason = mapped.notes.join('; ')
    if (reason !== '') this.#note([{ kind: 'noted', collection: this.#collection, document, reason }])
    const { fields, createdAt } = mapped
    // Devices have a status that is in no digest; here it is what a row says.
    const digest = digestOf({ ...fields, createdAt, became: Reflect.get(fields, 'status') })
    return [{ document, row: mapped, digest }]
  }

  /** One of them has what another document must not share: it is found by storing each alone. */
  async #storeEach(fitting: readonly FittingRow<Stored>[]): Promise<number> {
    let count = 0
    for (const one of fitting) {
      try {
        this.#note(await this.#context.database.transactions.run(() => this.#write([one])))
        count += 1
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error
        this.#context.leave(this.#collection, one.document, conflictReason(error))
      }
    }
    return count
  }

  /** Writes the rows with what is kept of them, in the caller's transaction. @returns what is to be said of them. */
  async #write(fitting: readonly FittingRow<Stored>[]): Promise<Finding[]> {
    const { database, store } = this.#context
    const documents = database.of(this.#entity, { isDurable: true }).for('adopt')
    const filter = { _id: { $in: fitting.map(({ row }) => row.fields._id) } }
    const found = await documents.find<Pick<StoredFields, '_id' | '__v'>>(filter, { projection: { __v: 1 } })
    const here = new Map(found.map(({ _id, __v }) => [_id.toHexString(), __v]))
    const kept = await store?.kept(
      this.#collection,
      fitting.map(({ document }) => document),
    )
    const findings: Finding[] = []
    const keeping: Kept[] = []
    const writes: { readonly fields: Document; readonly version: number }[] = []
    for (const { document, row, digest } of fitting) {
      const { fields, createdAt } = row
      const version = here.get(fields._id.toHexString())
      const before = kept?.get(idKey(document._id))
      if (version !== undefined && before?.digest === digest) continue
      if (version !== undefined && before !== undefined && before.version !== version) {
        findings.push({ kind: 'noted', collection: this.#collection, document, reason: changedOnBothSides })
        continue
      }
      const next = version === undefined ? 0 : version + 1
      writes.push({ fields: { ...fields, createdAt }, version: next })
      keeping.push({ document, with: { adoptedId: fields._id, digest, version: next } })
    }
    const updatedAt = database.clock.now()
    await documents.bulkWrite(
      writes.map(({ fields, version }) => ({
        update: { _id: fields._id },
        by: [{ $replaceWith: { $literal: { ...fields, updatedAt, __v: version } } }],
        upsert: true,
      })),
      { isUnordered: true },
    )
    await store?.keep(keeping, this.#collection)
    return findings
  }

  #note(findings: readonly Finding[]): void {
    for (const finding of findings) this.#context.find(finding)
  }
}
