import type { Database } from '../../core/database.js'
import { DatabaseError, NotFoundError } from '../../core/errors.js'
import { toObjectId } from '../../core/fields.js'
import type { Ledger } from '../../ledger/ledger.js'
import { type ErasedPerson, parseErasedPerson } from '../../privacy/privacy-inputs.js'
import type { PrivacyService } from '../../privacy/privacy-service.js'

/** Who and what was erased after the backup, as it is handed in. */
export interface EraseLists {
  /**
   * Ledger entries whose personal data were erased after the backup, by id: they are erased again before the database is used.
   * Those that the backup does not have are counted in a caveat.
   */
  readonly erase?: Iterable<string> | AsyncIterable<string>
  /** People who were erased after the backup, as `volt.privacy.erased()` lists them: they are erased again before the database is used. */
  readonly erasedPeople?: Iterable<ErasedPerson> | AsyncIterable<ErasedPerson>
}

/** The handle's database, and where others' erasures are found. */
interface Erasures {
  readonly database: Database
  readonly servicesOf: (database: Database) => { readonly privacy: PrivacyService }
}

/** What is to be erased again, read before anything is written: a list that cannot be read is not to end a restore half way. */
export interface ReadLists {
  readonly erase: ReadonlySet<string>
  readonly erasedPeople: readonly ErasedPerson[]
}

/** @throws ValidationError for what is no id, or no erased person. */
export async function readEraseLists({ erase, erasedPeople }: EraseLists): Promise<ReadLists> {
  return { erase: await readEntryIds(erase), erasedPeople: await readPeople(erasedPeople) }
}

async function readPeople(given: EraseLists['erasedPeople'] = []): Promise<ErasedPerson[]> {
  const people: ErasedPerson[] = []
  for await (const one of given) people.push(parseErasedPerson(one))
  return people
}

async function readEntryIds(given: EraseLists['erase'] = []): Promise<ReadonlySet<string>> {
  const ids = new Set<string>()
  for await (const id of given) ids.add(toObjectId(id, 'erase').toHexString())
  return ids
}

/** Erases what is personal about the entries. @returns a caveat where some of them are not there. */
export async function eraseEntries(ledger: Ledger, ids: ReadonlySet<string>): Promise<string[]> {
  let unknown = 0
  for (const id of ids) {
    try {
      await ledger.erasePersonalData(id)
    } catch (error) {
      const hasNothing = error instanceof DatabaseError && error.code === 'CONFIGURATION'
      if (!(error instanceof NotFoundError) && !hasNothing) throw error
      unknown += 1
    }
  }
  if (unknown === 0) return []
  return [`${unknown} of ${ids.size} entries to be erased are not in the backup, or have nothing personal`]
}

/**
 * Who was erased in the handle's database and in the one that the backup is of, as far as they are on this server; the restored
 * database itself knows its own.
 */
export async function erasedElsewhere(
  { database, servicesOf }: Erasures,
  backedUp: string,
  restored: string,
): Promise<{ readonly erased: readonly ErasedPerson[]; readonly caveats: readonly string[] }> {
  const erased: ErasedPerson[] = []
  const caveats: string[] = []
  const others = new Set([database.connection.name, backedUp])
  others.delete(restored)
  for (const name of others) {
    try {
      for await (const person of servicesOf(database.sibling(name)).privacy.erased()) erased.push(person)
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.code !== 'NOT_AUTHORIZED') throw error
      caveats.push(`who was erased in ${name} since could not be read, and was not erased again: volt.privacy.repeat()`)
    }
  }
  return { erased, caveats }
}
