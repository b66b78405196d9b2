import type { ClientSession, Db } from 'mongodb'
import type { Database } from '../../core/database.js'
import { DatabaseError } from '../../core/errors.js'
import type { Lease } from '../../core/lease.js'
import { RawCommand } from '../../core/raw-command.js'
import { translateError } from '../../core/translate-error.js'
import { FormatError } from '../format/format-error.js'
import { refusedOf } from '../restore/raw-insert.js'
import { type ChangedDocument, DocumentBatch } from './document-batch.js'
import type { LoggedChange } from './oplog-entry.js'
import type { Position } from './position.js'
import { bsonType, documentFrom, type RawField } from './raw-document.js'

const changesAtOnce = 1000
const bytesAtOnce = 4 << 20

/**
 * Writes changes of documents, many together in a transaction that also notes how far it is: what was interrupted goes on
 * exactly from there.
 */
export class ReplayWriter {
  readonly #database: Database
  readonly #lease: Lease
  readonly #note: (position: Position) => Promise<void>
  readonly #command = new RawCommand()
  #batches = new Map<string, DocumentBatch>()
  /** Of capped collections, which are of no one cluster time, and not written in transactions. */
  #capped: { readonly stored: string; readonly change: LoggedChange }[] = []
  #changes = 0
  #bytes = 0
  #position: Position | undefined

  constructor(database: Database, lease: Lease, note: (position: Position) => Promise<void>) {
    this.#database = database
    this.#lease = lease
    this.#note = note
  }

  add(stored: string, change: LoggedChange, isAtClusterTime: boolean): void {
    this.#changes += 1
    this.#bytes += change.content.length
    if (!isAtClusterTime) {
      this.#capped.push({ stored, change })
      return
    }
    const batch = this.#batches.get(stored) ?? new DocumentBatch()
    this.#batches.set(stored, batch)
    batch.add(change)
  }

  /** Everything up to this position was added. @param isToBeNoted Even where nothing is to be written. */
  async endOf(position: Position, isToBeNoted: boolean): Promise<void> {
    this.#position = position
    if (isToBeNoted || this.#changes >= changesAtOnce || this.#bytes >= bytesAtOnce) await this.flush()
  }

  async flush(): Promise<void> {
    const [position, batches, capped] = [this.#position, this.#batches, this.#capped]
    if (position === undefined) return
    this.#batches = new Map()
    this.#capped = []
    ;[this.#changes, this.#bytes, this.#position] = [0, 0, undefined]
    try {
      await this.#write(position, batches, capped)
    } catch (error) {
      throw translateError(error)
    }
  }

  async #write(
    position: Position,
    batches: ReadonlyMap<string, DocumentBatch>,
    capped: readonly { readonly stored: string; readonly change: LoggedChange }[],
  ): Promise<void> {
    const { native, transactions } = this.#database
    for (const { stored, change } of capped) await this.#writeCapped(native, stored, change)
    const outcomes: [string, ChangedDocument[]][] = []
    for (const [stored, batch] of batches) outcomes.push([stored, await batch.outcome(native, stored)])
    await transactions.run(async () => {
      await this.#lease.guard()
      for (const [stored, documents] of outcomes) await this.#store(native, stored, documents, transactions.session)
      await this.#note(position)
    })
  }

  /** What goes first: an id that is the same for the server may come again in another type. */
  async #store(
    native: Db,
    stored: string,
    documents: readonly ChangedDocument[],
    session: ClientSession | undefined,
  ): Promise<void> {
    const options = session === undefined ? {} : { session }
    const deletes = documents.filter(({ document }) => document === null).map(({ id }) => deletion(id))
    const updates = documents.flatMap(({ id, document }) => (document === null ? [] : [replacement(id, document)]))
    for (const [command, field, statements] of [
      [{ delete: stored }, 'deletes', deletes],
      [{ update: stored }, 'updates', updates],
    ] as const) {
      if (statements.length === 0) continue
      const reply = await this.#command.run(native, command, field, Buffer.concat(statements), options)
      const [refused] = refusedOf(reply)
      if (refused !== undefined)
        throw new DatabaseError('DATABASE', `A change of ${stored} was refused (${refused.code}): ${refused.message}`)
    }
  }

  /** What it has, and what it no longer has, its own size decides: what does not fit is left out. */
  async #writeCapped(native: Db, stored: string, change: LoggedChange): Promise<void> {
    if (change.kind === 'i') {
      await this.#command.run(native, { insert: stored, ordered: false }, 'documents', change.content, {})
      return
    }
    if (change.kind !== 'u') return
    const batch = new DocumentBatch()
    batch.add(change)
    const documents = await batch.outcome(native, stored).catch((error: unknown) => {
      if (!(error instanceof FormatError)) throw error
      return []
    })
    for (const { id, document } of documents)
      if (document !== null)
        await this.#command.run(native, { update: stored }, 'updates', replacement(id, document, false), {})
  }
}

/** An `_id` that is a document is one, and not a query. */
function matching(id: RawField): RawField {
  return {
    type: bsonType.document,
    name: 'q',
    value: documentFrom([{ ...id, value: equalTo(id), type: bsonType.document }]),
  }
}

function equalTo(id: RawField): Buffer {
  return documentFrom([{ ...id, name: '$eq' }])
}

function deletion(id: RawField): Buffer {
  return documentFrom([matching(id), { type: bsonType.int32, name: 'limit', value: int32(1) }])
}

function replacement(id: RawField, document: Buffer, isUpsert = true): Buffer {
  return documentFrom([
    matching(id),
    { type: bsonType.document, name: 'u', value: document },
    { type: bsonType.boolean, name: 'upsert', value: Buffer.from([isUpsert ? 1 : 0]) },
  ])
}

function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32LE(value)
  return bytes
}
