import type { AccessAction } from '../../../src/identity/access/access-rule.js'

/** Where a document is, seen from the user of the test. */
export const places = ['own', 'assigned', 'elsewhere'] as const
export type Place = (typeof places)[number]
export type Role = 'student' | 'faculty' | 'user' | 'admin' | 'super-admin'

type Expected = Readonly<Record<string, Partial<Record<AccessAction, readonly Place[]>>>>

const all = { read: places, create: places, update: places, delete: places } as const
const readAll = { read: places } as const
const ofEverybody = {
  users: { read: ['own'], update: ['own'] },
  userPreferences: { read: ['own'], create: ['own'], update: ['own'] },
  notifications: { read: ['own'], update: ['own'] },
} as const
const records = {
  activities: readAll,
  alertRules: all,
  alerts: readAll,
  auditLog: readAll,
  cases: readAll,
  commands: readAll,
  escalations: all,
  maintenanceWindows: all,
  deviceLogs: readAll,
  firmware: readAll,
  firmwareRollouts: readAll,
  firmwareInstalls: readAll,
  intervals: readAll,
  ledger: readAll,
  notificationDeliveries: readAll,
  powerConsumption: readAll,
  powerSettings: readAll,
  quarantine: readAll,
  tariffs: readAll,
} as const

/** What each role may do with documents in which places. Written down by hand from the guide: no rule of the library is in it. */
export const expected: Readonly<Record<Role, Expected>> = {
  student: {
    ...ofEverybody,
    classrooms: { read: ['assigned'] },
    devices: { read: ['own', 'assigned'] },
    schedules: { read: ['assigned'] },
    siteCalendars: { read: ['assigned'] },
  },
  faculty: {
    ...ofEverybody,
    classrooms: { read: ['assigned'] },
    devices: { read: ['own', 'assigned'], control: ['own', 'assigned'] },
    activities: { read: ['assigned'] },
    alertRules: { read: ['assigned'] },
    alerts: { read: ['assigned'] },
    cases: { read: ['own', 'assigned'] },
    maintenanceWindows: { read: ['assigned'] },
    schedules: { read: ['own', 'assigned'], update: ['own'], delete: ['own'] },
    siteCalendars: { read: ['assigned'] },
  },
  user: {
    ...ofEverybody,
    devices: { read: ['own'], control: ['own'], update: ['own'] },
    schedules: { read: ['own'], update: ['own'], delete: ['own'] },
  },
  admin: {
    ...ofEverybody,
    users: { read: places, update: places, delete: ['assigned', 'elsewhere'] },
    classrooms: all,
    devices: { ...all, control: places },
    schedules: all,
    siteCalendars: all,
    ...records,
  },
  'super-admin': {
    users: all,
    userPreferences: { read: places, create: ['own'], update: places },
    notifications: { read: ['own'], update: ['own'] },
    classrooms: all,
    devices: { ...all, control: places },
    schedules: all,
    siteCalendars: all,
    ...records,
  },
}

/** Which services a role may call. */
export const expectedServices: Readonly<Record<Role, readonly string[]>> = {
  student: ['sessions'],
  faculty: ['sessions'],
  user: ['sessions'],
  admin: ['analytics', 'energy', 'sessions'],
  'super-admin': [
    'analytics',
    'backup',
    'incidents',
    'market',
    'operations',
    'retention',
    'privacy',
    'energy',
    'measurements',
    'migrations',
    'registers',
    'rollUps',
    'sessions',
    'signIn',
    'telemetry',
  ],
}
