import { type Collection, type FindCursor, ObjectId } from 'mongodb'
import type { LedgerEntry } from '../entry/entry.js'
import { commitmentOf, isSalt } from '../personal/commitment.js'
import type { PersonalData } from '../personal/personal-data.js'
import type { Finding } from './finding.js'

const atOnce = 1000

/** Compares personal data with the commitments that entries have to it: what is gone must have been erased by an entry. */
export async function* checkPersonalData(
  entries: Collection<LedgerEntry>,
  personalData: Collection<PersonalData>,
  switchIds: readonly ObjectId[] | undefined,
): AsyncGenerator<Finding, void, undefined> {
  const scope = switchIds === undefined ? {} : { switchId: { $in: switchIds } }
  const committed = entries.find({ personalCommitment: { $exists: true }, ...scope }, { batchSize: atOnce })
  for (let batch = await take(committed); batch.length > 0; batch = await take(committed)) {
    const commitments = batch.map(({ switchId, personalCommitment: commitment = '' }) => ({ switchId, commitment }))
    const kept = await personalData.find({ $or: commitments }).toArray()
    const byCommitment = new Map(kept.map((data) => [data.commitment, data]))
    const missing = batch.filter(({ personalCommitment }) => !byCommitment.has(personalCommitment ?? ''))
    const erased = await erasedAmong(entries, missing)
    for (const entry of batch) {
      const data = byCommitment.get(entry.personalCommitment ?? '')
      if (data === undefined && !erased.has(entry.hash))
        yield finding(entry, 'deleted', 'nothing, and no entry that erased it')
      if (data === undefined) continue
      const { salt, text }: Readonly<Record<'salt' | 'text', unknown>> = data
      const found = isSalt(salt) && typeof text === 'string' ? commitmentOf(salt, text) : 'what is no salt and text'
      if (found !== entry.personalCommitment) yield finding(entry, 'edited', found)
    }
  }
}

/** Entries that are laid out so: of others the hash tells that they were tampered with. */
async function take(cursor: FindCursor<LedgerEntry>): Promise<LedgerEntry[]> {
  const batch: LedgerEntry[] = []
  while (batch.length < atOnce) {
    const document = await cursor.next()
    if (document === null) break
    const { _id, switchId, personalCommitment }: Readonly<Record<string, unknown>> = { ...document }
    if (_id instanceof ObjectId && switchId instanceof ObjectId && typeof personalCommitment === 'string')
      batch.push(document)
  }
  return batch
}

async function erasedAmong(entries: Collection<LedgerEntry>, missing: readonly LedgerEntry[]): Promise<Set<string>> {
  if (missing.length === 0) return new Set()
  const keys = missing.map(({ switchId, hash }) => ({ switchId, idempotencyKey: `erasure:${hash}` }))
  const erasures = await entries.find({ $or: keys, eventType: 'erasure' }).toArray()
  return new Set(erasures.flatMap(({ erases }) => erases ?? []))
}

function finding(
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
    expected: personalCommitment ?? '',
    found,
  }
}
