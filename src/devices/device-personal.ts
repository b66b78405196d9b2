import type { PersonalFields } from '../core/personal-fields.js'

/** What of a device is personal: whose it is, and of somebody's own device where it is. Its energy stays with the device. */
export const devicePersonal: PersonalFields = {
  subjects: {
    owner: { onErasure: 'anonymise', fields: ['location', 'ipAddress', 'wifiPassword'] },
    assignedUsers: { onErasure: 'delete' },
    'assignments.owner': { onErasure: 'anonymise' },
  },
  mentions: {
    in: ['name', 'building', 'location', 'specifications', 'configuration', 'communication', 'switches'],
    onErasure: 'replace',
  },
  notPersonal: (
    'type protocol macAddress externalId classroom floor manufacturer model service capabilities alertLimits config hardware ' +
    'lastMaintenanceAt nextMaintenanceAt batteryLevel energyRole ledgerRecording reportingPeriodMs authentication ' +
    'firmwareVersion status statusAt lastSeenAt lastSignOfLifeAt telemetry hasSigned alive boot run pastRuns repeatedHour secret'
  ).split(' '),
}
