import type { Db } from 'mongodb'
import type { Migration } from '../migration.js'
import type { EntitiesByKey } from '../run/context.js'
import { copying } from './copying.js'
import { adaptedSettings } from './power-settings-form.js'
import { type ChangeLog, undoing } from './rewriting.js'

/** What the origin systems call collections of ours, by what the handle calls those. */
const namesOfOrigins = {
  activitylogs: 'activities',
  auditlogs: 'auditLogs',
  powersettings: 'powerSettings',
  costversions: 'costVersions',
  dailyaggregates: 'dailyAggregates',
  monthlyaggregates: 'monthlyAggregates',
  deviceconsumptionledgers: 'intervals',
  powerconsumptions: 'powerConsumption',
} as const

const id = 'autovolt-2-collection-names'

/**
 * Copies what fits from collections under the origin systems' names into ours. Time series cannot be copied in a transaction,
 * and what does not fit needs to be mapped: both is the work of an adoption.
 */
export function collectionNames(log: ChangeLog, entities: EntitiesByKey): Migration {
  const pairs = Object.entries(namesOfOrigins).flatMap(([from, key]) => {
    const entity = entities[key]
    return entity === undefined || entity.collection === from ? [] : [{ from, key, entity }]
  })
  return {
    id,
    description: "documents of collections under the origin systems' names, as far as they fit, are in ours",
    up: pairs.map(({ from, key, entity }) =>
      copying(log, { from, entity, ...(key === 'powerSettings' ? { adapt: adaptedSettings } : {}) }),
    ),
    down: undoing(log, id),
    verify: async ({ db, note }) => {
      for (const { from, entity } of pairs) {
        const documents = await db.collection(from).estimatedDocumentCount()
        if (documents === 0) continue
        const copied = await countCopies(db, log, entity.collection, from)
        note(
          `${from}: ${copied} of ${documents} documents were copied into ${entity.collection}. The others do not fit, or are there already. All of them stay in ${from} too`,
        )
      }
    },
  }
}

function countCopies(db: Db, log: ChangeLog, target: string, copiedFrom: string): Promise<number> {
  return db.collection(log.collection).countDocuments({ migration: id, 'document.collection': target, copiedFrom })
}
