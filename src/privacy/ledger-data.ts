import type { Binary, ObjectId } from 'mongodb'
import type { Database } from '../core/database.js'
import type { Entity, Identified } from '../core/entity.js'
import type { LedgerEntry } from '../ledger/entry/entry.js'
import type { Ledger } from '../ledger/ledger.js'
import type { PersonalData } from '../ledger/personal/personal-data.js'

/** Erases personal data of ledger entries as the ledger does: by an entry of the chain, so that it still verifies. */
export function ledgerDataEraser(
  database: Database,
  entities: { readonly ledger: Entity<LedgerEntry>; readonly ledgerPersonalData: Entity<PersonalData> },
  ledger: Ledger,
): (documents: readonly Identified[]) => Promise<number> {
  const entries = database.of(entities.ledger)
  const data = database.of(entities.ledgerPersonalData)
  return async (documents) => {
    const found = await data.for('erase').find({ _id: { $in: documents.map(({ _id }) => _id) } })
    for (const { switchId, commitment } of found) {
      const entry = await entryOf(switchId, commitment)
      if (entry !== null) await ledger.erasePersonalData(entry._id)
    }
    // What no entry has a commitment to is nobody's any more.
    await data.for('erase').deleteMany({ _id: { $in: documents.map(({ _id }) => _id) } })
    return found.length
  }

  function entryOf(switchId: ObjectId, commitment: Binary): Promise<Identified | null> {
    return entries
      .for('erase')
      .findOne<Identified>({ switchId, personalCommitment: commitment }, { projection: { _id: 1 } })
  }
}
