import { isDeepStrictEqual } from 'node:util'
import type { Document } from 'mongodb'
import { isRecord } from '../../core/is-record.js'
import type { Migration } from '../migration.js'
import type { EntitiesByKey } from '../run/context.js'
import { fits } from './copying.js'
import { settingsChanges, typeName } from './power-settings-form.js'
import { type ChangeLog, type FieldChanges, rewriting, undoing } from './rewriting.js'

const id = 'autovolt-3-earlier-versions'
/** Where a switch has its energy from that does not say. */
const energySource = 'rated'

/** What has changed since earlier versions of the package: in the kinds of switches, and in power settings. */
export function earlierVersions(log: ChangeLog, { devices, powerSettings }: EntitiesByKey): Migration {
  return {
    id,
    description: 'kinds of devices, currencies, prices and units are as this version has them',
    up: [
      ...(devices === undefined
        ? []
        : [
            rewriting(log, {
              collection: devices.collection,
              filter: { 'switches.0': { $exists: true } },
              changesOf: async (documents) => documents.map(switchChanges),
            }),
          ]),
      ...(powerSettings === undefined
        ? []
        : [
            rewriting(log, {
              collection: powerSettings.collection,
              filter: {},
              changesOf: async (documents) => documents.map(settingsChanges),
            }),
          ]),
    ],
    down: undoing(log, id),
    verify: async ({ db, note }) => {
      if (powerSettings === undefined) return
      const found = await db.collection(powerSettings.collection).find({}, { limit: 100 }).toArray()
      const wrong = found.filter((document) => !fits(powerSettings, document)).map(({ _id }) => String(_id))
      if (wrong.length > 0) {
        note(`${powerSettings.collection}: ${wrong.join(', ')} still do not fit. Correct or move them, then run setup`)
      }
    },
  }
}

/** Without a source of energy a switch is rated; its kind is written small. */
function switchChanges({ switches }: Document): FieldChanges | undefined {
  if (!Array.isArray(switches)) return undefined
  const wanted = switches.map((one) => {
    if (!isRecord(one)) return one
    const kind = typeName(one.type)
    const withKind = kind === undefined || kind === one.type ? one : { ...one, type: kind }
    return withKind.energySource === undefined ? { ...withKind, energySource } : withKind
  })
  return isDeepStrictEqual(wanted, switches) ? undefined : { switches: wanted }
}
