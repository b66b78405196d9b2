import type { Db } from 'mongodb'
import { serverCode } from '../../core/server-codes.js'
import { serverErrorCode, translateError } from '../../core/translate-error.js'
import { createTarget } from '../restore/target-collection.js'
import type { CatalogStep } from './catalog-changes.js'

/** Does a step; one that was done by an attempt before changes nothing more. */
export async function applyStep(database: Db, step: CatalogStep): Promise<void> {
  try {
    await apply(database, step)
  } catch (error) {
    throw translateError(error)
  }
}

async function apply(database: Db, step: CatalogStep): Promise<void> {
  switch (step.step) {
    case 'create':
      await createTarget(database, step.collection.name, step.collection)
      return
    case 'drop':
      await database.dropCollection(step.name).catch((error: unknown) => {
        if (serverErrorCode(error) !== serverCode.namespaceNotFound) throw error
      })
      return
    case 'rename': {
      const [found] = await database.listCollections({ name: step.from }, { nameOnly: true }).toArray()
      if (found !== undefined) await database.renameCollection(step.from, step.to, { dropTarget: true })
      return
    }
    case 'modify':
      await database.command({ collMod: step.name, ...step.options })
  }
}
