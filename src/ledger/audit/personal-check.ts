import { type Binary, BSON, type ClientSession, type Collection, type Document, ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import { rawDocuments, rawIn } from '../../core/raw-documents.js'
import type { LedgerEntry } from '../entry/entry.js'
import { hexOf, isSha256 } from '../entry/sha256.js'
import { keyOfSwitchId } from '../entry/stored-bytes.js'
import { entryFault } from '../entry/strict-entry.js'
import { commitmentOf } from '../personal/commitment.js'
import { erasureKey } from '../personal/erasure.js'
import { type PersonalData, personalDataEntity } from '../personal/personal-data.js'
import { firstFieldsOf, readStored } from '../stored-document.js'
import { wordsOf } from '../stored-words.js'
import { atOneMoment } from './at-one-moment.js'
import type { Finding } from './finding.js'

const atOnce = 1000

export interface PersonalParts {
  readonly database: Database
  /** The collection of the entries, and that of their personal data. */
  readonly entries: string
  readonly personalData: string
  readonly switchIds: readonly ObjectId[] | undefined
  /** The hashes that the tree has for the entries of a chain. */
  readonly signedHashesOf: (chain: string) => Promise<ReadonlyMap<number, string>>
}

/** An entry with a commitment to personal data. */
type Committing = LedgerEntry & { readonly personalCommitment: Binary }

/**
 * Compares personal data with the commitments that entries have to it. What is gone must have been erased by an entry; what was
 * erased must be gone; and there is none that no entry has a commitment to, nor an erasure of nothing.
 */
export async function* checkPersonalData(parts: PersonalParts): AsyncGenerator<Finding, void, undefined> {
  yield* new PersonalCheck(parts).findings()
}

class PersonalCheck {
  readonly #parts: PersonalParts
  readonly #entries: Collection
  readonly #personal: Collection
  readonly #scope: Document

  constructor(parts: PersonalParts) {
    const { database, entries, personalData, switchIds } = parts
    this.#parts = parts
    this.#entries = database.native.collection(entries, { readPreference: 'primary' })
    this.#personal = database.native.collection(personalData, { readPreference: 'primary' })
    this.#scope = switchIds === undefined ? {} : { switchId: { $in: switchIds } }
  }

  async *findings(): AsyncGenerator<Finding, void, undefined> {
    for await (const batch of batches(this.#entries, { personalCommitment: { $exists: true }, ...this.#scope }))
      yield* await this.#compare(batch.flatMap((bytes) => entryOf(bytes) ?? []).filter(isCommitting))
    for await (const batch of batches(this.#personal, this.#scope)) yield* this.#findStray(batch)
    for await (const batch of batches(this.#entries, { eventType: 'erasure', ...this.#scope }))
      yield* this.#findIdle(batch.flatMap((bytes) => entryOf(bytes) ?? []))
  }

  /** Personal data and erasures as of one moment, or one that is erased meanwhile would look as if it had been put back. */
  async #compare(entries: readonly Committing[]): Promise<Finding[]> {
    if (entries.length === 0) return []
    const { there, kept, erased } = await atOneMoment(this.#parts.database, async (session) => ({
      there: await this.#thereAmong(entries, session),
      kept: await this.#keptFor(entries, session),
      erased: await this.#erasedAmong(entries, session),
    }))
    return entries.flatMap((entry) => {
      // A transaction reads nothing that was written while an earlier write is still under way: its moment may be before the entry.
      if (!there.has(entry._id.toHexString())) return []
      const found = kept.get(hexOf(entry.personalCommitment))
      const isErased = erased.has(hexOf(entry.hash))
      if (found === undefined)
        return isErased ? [] : [findingAt(entry, 'deleted', 'nothing, and no entry that erased it')]
      if (isErased) return [findingAt(entry, 'inserted', 'what an entry has erased')]
      return found === hexOf(entry.personalCommitment) ? [] : [findingAt(entry, 'edited', found)]
    })
  }

  async #thereAmong(entries: readonly Committing[], session: ClientSession): Promise<Set<string>> {
    const filter = { _id: { $in: entries.map(({ _id }) => _id) } }
    const found = await this.#entries.find(filter, { projection: { _id: 1 }, session }).toArray()
    return new Set(found.map(({ _id }) => _id.toHexString()))
  }

  /** The commitments that the personal data of the entries has, by those that it is kept under. */
  async #keptFor(entries: readonly Committing[], session: ClientSession): Promise<Map<string, string>> {
    const $or = entries.map(({ switchId, personalCommitment: commitment }) => ({ switchId, commitment }))
    const found = await rawDocuments(this.#personal.find({ $or }, { raw: true, session }))
    const kept = new Map<string, string>()
    for (const bytes of found) {
      const commitment = hexOf(firstFieldsOf(bytes).commitment)
      // Of two only one could be right.
      kept.set(commitment, kept.has(commitment) ? 'two of them' : commitmentIn(bytes))
    }
    return kept
  }

  async #erasedAmong(entries: readonly Committing[], session: ClientSession): Promise<Set<string>> {
    const $or = entries.map(({ switchId, hash }) => ({ switchId, idempotencyKey: erasureKey(hash) }))
    const found = await rawDocuments(this.#entries.find({ $or, eventType: 'erasure' }, { raw: true, session }))
    return new Set(found.flatMap((bytes) => hexOf(entryOf(bytes)?.erases)))
  }

  /** Personal data that no entry has a commitment to. */
  async *#findStray(documents: readonly Buffer[]): AsyncGenerator<Finding, void, undefined> {
    const fields = documents.map(firstFieldsOf)
    const known = await this.#commitmentsAmong(fields)
    for (const { _id, switchId, commitment } of fields) {
      if (known.has(keyOf({ switchId, personalCommitment: commitment }))) continue
      // It may have been erased meanwhile, and its entry archived.
      const isThere = _id === undefined || (await this.#personal.countDocuments({ _id: { $eq: _id } } as Document)) > 0
      if (!isThere) continue
      const found = `the document ${wordsOf(_id)}`
      const chain = switchId instanceof ObjectId ? { switchId: switchId.toHexString() } : {}
      const expected = 'data that an entry has a commitment to'
      yield { damage: 'inserted', where: 'personal_data', ...chain, expected, found }
    }
  }

  async #commitmentsAmong(fields: readonly Readonly<Record<string, unknown>>[]): Promise<Set<string>> {
    const $or = fields.flatMap(({ switchId, commitment: personalCommitment }) =>
      switchId instanceof ObjectId && isSha256(personalCommitment) ? [{ switchId, personalCommitment }] : [],
    )
    if ($or.length === 0) return new Set()
    const projection = { _id: 0, switchId: 1, personalCommitment: 1 }
    const committed = await rawDocuments(this.#entries.find({ $or }, { raw: true, projection }))
    return new Set(committed.map(firstFieldsOf).map(keyOf))
  }

  /** Erasures of entries that there are not, or that had nothing to erase. */
  async *#findIdle(erasures: readonly LedgerEntry[]): AsyncGenerator<Finding, void, undefined> {
    for (const [id, ofChain] of groupBySwitch(erasures)) {
      const { switchId } = ofChain[0] as LedgerEntry
      const hashes = ofChain.map(({ erases }) => erases)
      const found = await rawDocuments(this.#entries.find({ switchId, hash: { $in: hashes } }, { raw: true }))
      const here = found.flatMap((bytes) => entryOf(bytes) ?? [])
      const erasable = new Set(here.filter(isCommitting).map(({ hash }) => hexOf(hash)))
      const idle = ofChain.filter(({ erases }) => !erasable.has(hexOf(erases)))
      if (idle.length === 0) continue
      // What was erased may be archived: whether it had personal data is in the file.
      const hashesHere = new Set(here.map(({ hash }) => hexOf(hash)))
      const signed = new Set((await this.#parts.signedHashesOf(keyOfSwitchId(id))).values())
      for (const entry of idle) {
        const erased = hexOf(entry.erases)
        if (signed.has(erased) && !hashesHere.has(erased)) continue
        yield {
          ...findingAt(entry, 'inserted', `an erasure of ${erased}`),
          expected: 'an entry with personal data to erase',
        }
      }
    }
  }
}

async function* batches(collection: Collection, filter: Document): AsyncGenerator<Buffer[], void, undefined> {
  let batch: Buffer[] = []
  const found = collection.find(filter, { raw: true, batchSize: atOnce })
  for await (const bytes of rawIn(found)) {
    batch.push(bytes)
    if (batch.length < atOnce) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

/** Of what is no entry to the byte the chain tells. */
function entryOf(buffer: Buffer): LedgerEntry | undefined {
  return entryFault({ buffer, start: 0, length: buffer.length }) === undefined
    ? (BSON.deserialize(buffer) as LedgerEntry)
    : undefined
}

function isCommitting(entry: LedgerEntry): entry is Committing {
  return entry.personalCommitment !== undefined
}

/** In words where there is none. */
function commitmentIn(bytes: Buffer): string {
  const data: PersonalData | undefined = readStored(personalDataEntity, bytes)
  return data === undefined ? 'what is no salt and text' : commitmentOf(data.salt.value(), data.text)
}

function keyOf({ switchId, personalCommitment }: Readonly<Record<string, unknown>>): string {
  return `${wordsOf(switchId)} ${hexOf(personalCommitment)}`
}

function groupBySwitch(entries: readonly LedgerEntry[]): Map<string, LedgerEntry[]> {
  const groups = new Map<string, LedgerEntry[]>()
  for (const entry of entries) {
    const id = entry.switchId.toHexString()
    const group = groups.get(id)
    if (group === undefined) groups.set(id, [entry])
    else group.push(entry)
  }
  return groups
}

function findingAt(
  { switchId, sequence, _id, personalCommitment }: LedgerEntry,
  damage: Finding['damage'],
  found: string,
): Finding {
  return {
    damage,
    where: 'personal_data',
    switchId: switchId.toHexString(),
    sequence,
    entryId: _id.toHexString(),
    expected: hexOf(personalCommitment),
    found,
  }
}
