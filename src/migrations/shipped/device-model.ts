import type { Document } from 'mongodb'
import { isRecord } from '../../core/is-record.js'
import { ownNames, typeByPins } from '../earlier-devices.js'
import type { Migration } from '../migration.js'
import type { EntitiesByKey } from '../run/context.js'
import { type ChangeLog, type FieldChanges, rewriting, undoing } from './rewriting.js'

const id = 'autovolt-11-device-model'

/** What devices have that were registered before there were types. */
const defaults: FieldChanges = {
  protocol: 'mqtt',
  service: 'active',
  status: 'offline',
  capabilities: [],
  assignedUsers: [],
}

/**
 * Devices have a type, a protocol, a status and capabilities; their switches a type each, and names of their own. All were
 * ESP32s; one whose switches have numbers that no ESP32 has pins for is of the type `other`, of which nothing is asked.
 */
export function deviceModel(log: ChangeLog, { devices }: EntitiesByKey): Migration {
  return {
    id,
    description: 'devices have a type, a protocol, and switches with names of their own',
    up: rewriting(log, {
      collection: devices?.collection ?? 'devices',
      filter: { $or: [{ type: null }, ...Object.keys(defaults).map((name) => ({ [name]: null }))] },
      changesOf: async (documents) => documents.map(changesOf),
    }),
    down: undoing(log, id),
  }
}

function changesOf(document: Document): FieldChanges {
  const missing = Object.entries(defaults).filter(([name]) => document[name] === undefined || document[name] === null)
  const switches = Array.isArray(document.switches) ? switchesOf(document.switches) : undefined
  return {
    ...Object.fromEntries(missing),
    ...(typeof document.name === 'string' && document.name !== document.name.trim()
      ? { name: document.name.trim() || 'Device' }
      : {}),
    ...(document.type === undefined || document.type === null ? { type: typeByPins(document, switches) } : {}),
    ...(switches === undefined ? {} : { switches }),
  }
}

function switchesOf(switches: readonly unknown[]): unknown[] {
  const names = ownNames(switches)
  return switches.map((one, at) =>
    isRecord(one) ? { manualOverride: false, type: 'light', ...one, name: names[at] } : one,
  )
}
