import { firmwareFileCollections } from '../../firmware/firmware-files.js'
import type { RoleCollections } from './role-definitions.js'

interface Named {
  readonly collection: string
}

const audited = [
  'ledger',
  'ledgerCheckpoints',
  'ledgerTiles',
  'ledgerSegments',
  'ledgerAnchors',
  'ledgerPersonalData',
  'ledgerArchives',
  'ledgerSeams',
  'restoreJournals',
] as const

const watched = [
  'ledgerCheckpoints',
  'ledgerAnchors',
  'quarantine',
  'ingestCounters',
  'registerMarks',
  'workRecords',
  'backupSchedules',
  'restoreJournals',
  'profilerSettings',
] as const

const backupRecords = ['leases', 'backupSchedules', 'restoreJournals'] as const

/** The entities whose collections roles tell apart. */
export type RoleEntities = Readonly<
  Record<(typeof audited)[number] | (typeof watched)[number] | (typeof backupRecords)[number] | 'sizeRecords', Named>
>

/** @param all Every entity that `setup()` sets up. */
export function roleCollections(entities: RoleEntities, all: readonly Named[]): RoleCollections {
  const names = (keys: readonly (keyof RoleEntities)[]) => keys.map((key) => entities[key].collection)
  return {
    all: all.map(({ collection }) => collection),
    ledger: entities.ledger.collection,
    archiveRecords: names(['ledgerArchives', 'ledgerSeams']),
    files: Object.values(firmwareFileCollections),
    audited: names(audited),
    watched: names(watched),
    watchRecords: names(['sizeRecords']),
    backupRecords: names(backupRecords),
  }
}
