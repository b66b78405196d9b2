import type { Database } from '../database.js'
import type { EntityDescription } from '../entity.js'
import { DatabaseError } from '../errors.js'
import { asSort, type KeysetSort } from './keyset.js'
import type { Projection } from './selection.js'

/** Turns cursors into what callers get, and back. */
export interface CursorSeal {
  readonly seal: (cursor: string) => string
  /** The cursor that was sealed; what is none stays as it is, for the keyset to refuse. */
  readonly open: (given: unknown) => unknown
}

const open: CursorSeal = { seal: (cursor) => cursor, open: (given) => given }

/**
 * A cursor has the sort's values of a document in it. Where the caller does not get these fields, it is sealed with the keys
 * of the handle: nobody reads them there, and nobody finds them out with cursors of his own making.
 * @throws DatabaseError `KEY_RING` where it would have to be sealed, and the handle has no keys.
 */
export function cursorSeal(
  database: Database,
  { name }: EntityDescription,
  projection: Projection | undefined,
  sort: KeysetSort,
): CursorSeal {
  if (projection === undefined || sort.every(([field]) => isShown(projection, field))) return open
  if (!database.hasKeyRing) {
    const message =
      'The sort has fields that `select` leaves out, so the cursor has to be sealed: open the handle with `keys`'
    throw new DatabaseError('KEY_RING', message)
  }
  const { keyRing } = database
  const place = `cursor/${name}/${JSON.stringify(asSort(sort))}`
  return {
    seal: (cursor) => keyRing.seal(cursor, place),
    open: (given) => {
      if (typeof given !== 'string') return given
      try {
        return keyRing.open(given, place)
      } catch (error) {
        // Sealed for another sort, with a key that is gone, or not at all: as good as none.
        if (error instanceof DatabaseError) return ''
        throw error
      }
    },
  }
}

/** Of a selection; the projection without one leaves only secrets out, which cannot be sorted by. */
function isShown(projection: Projection, field: string): boolean {
  if (Object.values(projection).includes(0)) return true
  return Object.hasOwn(projection, field.split('.', 1)[0] ?? '')
}
