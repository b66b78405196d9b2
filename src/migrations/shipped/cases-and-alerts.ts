import { isDeepStrictEqual } from 'node:util'
import type { Migration } from '../migration.js'
import { type ChangeLog, rewriting, undoing } from './rewriting.js'

const priorityId = 'autovolt-6-case-priority'
const severityId = 'autovolt-7-alert-severity'

/** Every case has a priority, and there is an index on it where there are cases. */
export function casePriority(log: ChangeLog): Migration {
  const collection = 'cases'
  const index = 'priority_1'
  return {
    id: priorityId,
    description: 'every case has a priority: medium where it had none',
    repeatable: true,
    up: [
      async ({ db, keep }) => {
        const [found] = await db.listCollections({ name: collection }, { nameOnly: true }).toArray()
        if (found === undefined) return
        const indexes = await db.collection(collection).listIndexes().toArray()
        if (indexes.some(({ key }) => isDeepStrictEqual(key, { priority: 1 }))) return
        await db.collection(collection).createIndex({ priority: 1 }, { name: index })
        keep(index)
      },
      rewriting(log, {
        collection,
        filter: { priority: null },
        changesOf: async (documents) => documents.map(() => ({ priority: 'medium' })),
      }),
    ],
    down: [
      undoing(log, priorityId),
      async ({ db, kept }) => {
        if (kept[0] !== index) return
        const indexes = await db.collection(collection).listIndexes().toArray()
        if (indexes.some(({ name }) => name === index)) await db.collection(collection).dropIndex(index)
      },
    ],
    plan: async () => [{ collection, note: 'an index on priority, if there are cases' }],
  }
}

/** The level of an alert is called its severity. Where an alert has both, both stay. */
export function alertSeverity(log: ChangeLog): Migration {
  const collection = 'alerts'
  const hasBoth = { level: { $exists: true }, severity: { $exists: true } }
  return {
    id: severityId,
    description: 'the level of an alert is called its severity',
    up: rewriting(log, {
      collection,
      filter: { level: { $exists: true }, severity: { $exists: false } },
      changesOf: async (documents) => documents.map(({ level }) => ({ severity: level, level: undefined })),
    }),
    down: undoing(log, severityId),
    verify: async ({ db, note }) => {
      const both = await db.collection(collection).countDocuments(hasBoth, { hint: { _id: 1 } })
      if (both > 0) note(`${both} alerts have a level and a severity: both stay, decide which of them is right`)
    },
  }
}
