import { BSON, type Db, type Document } from 'mongodb'
import { documentsOf, scanRaw } from '../../ledger/raw-scan.js'
import { FormatError } from '../format/format-error.js'
import { applyChangedPaths, changedPathsOf } from './changed-paths.js'
import { applyDiff, diffOf } from './document-diff.js'
import type { LoggedChange } from './oplog-entry.js'
import { documentFrom, fieldsOf, type RawField } from './raw-document.js'

/** Changed document: what becomes of a document. */
export interface ChangedDocument {
  /** The field. */
  readonly id: RawField
  /** Null where it goes. */
  readonly document: Buffer | null
}

const unpromoted = { promoteValues: false, promoteLongs: false, promoteBuffers: false, bsonRegExp: true } as const

/** Changes of the documents of one collection, in their order, of which only what comes of them in the end is written. */
export class DocumentBatch {
  readonly #changes = new Map<string, { readonly id: RawField; readonly changes: LoggedChange[] }>()

  add(change: LoggedChange): void {
    const id = idOf(change)
    const key = `${id.type} ${id.value.toString('latin1')}`
    const known = this.#changes.get(key)
    if (known === undefined) this.#changes.set(key, { id, changes: [change] })
    else known.changes.push(change)
  }

  /**
   * What becomes of the documents.
   * @throws FormatError for an update of a document that is not there, or is another.
   */
  async outcome(database: Db, stored: string): Promise<ChangedDocument[]> {
    const before = await this.#documentsNow(database, stored)
    return [...this.#changes].map(([key, { id, changes }]) => {
      const document = changes.reduce((now, change) => changed(now, change), before.get(key) ?? null)
      return { id, document }
    })
  }

  /** The documents whose first change needs to know them. */
  async #documentsNow(database: Db, stored: string): Promise<Map<string, Buffer>> {
    const needed = [...this.#changes.values()].filter(
      ({ changes }) => changes[0] !== undefined && isPartial(changes[0]),
    )
    const documents = new Map<string, Buffer>()
    if (needed.length === 0) return documents
    const filter = { _id: { $in: needed.map(({ id }) => idValue(id)) } }
    for await (const batch of scanRaw(database, stored, { filter, readConcern: { level: 'majority' } }))
      for (const { buffer, start, length } of documentsOf(batch)) {
        const document = Buffer.from(buffer.subarray(start, start + length))
        const id = idIn(document)
        documents.set(`${id.type} ${id.value.toString('latin1')}`, document)
      }
    return documents
  }
}

/** Whether what comes of it depends on the document before. */
function isPartial({ kind, content }: LoggedChange): boolean {
  return kind === 'u' && (diffOf(content) !== undefined || changedPathsOf(content) !== undefined)
}

function changed(now: Buffer | null, change: LoggedChange): Buffer | null {
  const { kind, content, collection } = change
  if (kind === 'd') return null
  if (!isPartial(change)) return content
  if (now === null)
    throw new FormatError(`an update of ${collection} finds no document: backup and slices do not belong together`)
  const diff = diffOf(content)
  if (diff !== undefined) return applyDiff(now, diff)
  return applyChangedPaths(now, changedPathsOf(content) ?? content)
}

function idOf({ kind, content, target }: LoggedChange): RawField {
  return idIn(kind === 'u' && target !== undefined ? target : content)
}

function idIn(document: Buffer): RawField {
  const id = fieldsOf(document).find(({ name }) => name === '_id')
  if (id === undefined) throw new FormatError('a change has no _id')
  return id
}

/** @throws FormatError for one that the driver would send with other bytes. */
function idValue(id: RawField): unknown {
  const stored = documentFrom([id])
  const document: Document = BSON.deserialize(stored, unpromoted)
  if (!stored.equals(BSON.serialize(document)))
    throw new FormatError('the _id of a document has an order of fields that JavaScript does not keep')
  return document._id
}
