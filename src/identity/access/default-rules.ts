import type { UserRole } from '../user.js'
import type { AccessAction, AccessRule, AccessScopes } from './access-rule.js'

/** Those whom an administrator may change: no other administrator. */
const people = ['student', 'faculty', 'user'] as const

export const defaultAccessScopes = {
  users: { own: { _id: '_id' }, people: { role: { anyOf: people } } },
  userPreferences: { own: { user: '_id' } },
  sessions: { own: { user: '_id' } },
  classrooms: { assigned: { _id: 'assignedClassrooms' } },
  devices: { own: { owner: '_id' }, classroom: { classroom: 'assignedClassrooms' } },
  activities: { classroom: { classroom: 'assignedClassrooms' } },
  cases: { own: { assignee: '_id' }, classroom: { classroom: 'assignedClassrooms' } },
  alerts: { classroom: { classroom: 'assignedClassrooms' } },
  alertRules: { classroom: { classroom: 'assignedClassrooms' } },
  maintenanceWindows: { classroom: { classroom: 'assignedClassrooms' } },
  notifications: { own: { user: '_id' } },
  schedules: { own: { owner: '_id' }, classroom: { classroom: 'assignedClassrooms' } },
  siteCalendars: { assigned: { classroom: 'assignedClassrooms' } },
} as const satisfies AccessScopes

/** What people may change of themselves: neither address nor password, which ask for a proof. */
const ofOneself = ['name', 'firstName', 'lastName', 'profile', 'address', 'location', 'walletAddress'] as const

/** The readers of the handle that hold no people, and nothing that only the library needs. */
const energyRecords = [
  'activities',
  'commands',
  'ledger',
  'intervals',
  'powerConsumption',
  'powerSettings',
  'tariffs',
] as const
const reports = ['analytics', 'energy'] as const
const services = [
  ...reports,
  'signIn',
  'sessions',
  'measurements',
  'telemetry',
  'registers',
  'rollUps',
  'incidents',
  'market',
  'backup',
  'operations',
  'retention',
  'privacy',
  'migrations',
] as const

type Rule = AccessRule<UserRole>

const rule = (
  role: UserRole,
  entity: string,
  actions: readonly AccessAction[],
  scope: string,
  fields?: Rule['fields'],
): Rule[] =>
  actions.map((action) => {
    const writes = action === 'create' || action === 'update'
    return { role, entity, action, scope, ...(writes && fields !== undefined ? { fields } : {}) }
  })

const ofEverybody = (role: UserRole): Rule[] => [
  ...rule(role, 'users', ['read'], 'own'),
  ...rule(role, 'users', ['update'], 'own', ofOneself),
  ...rule(role, 'userPreferences', ['read', 'create', 'update'], 'own'),
  ...rule(role, 'sessions', ['use'], 'own'),
  ...rule(role, 'notifications', ['read'], 'own'),
  ...rule(role, 'notifications', ['update'], 'own', ['unread', 'readAt']),
]

const ofAdministrators = (role: 'admin' | 'super-admin'): Rule[] => [
  ...rule(role, 'classrooms', ['read', 'create', 'update', 'delete'], 'all', 'all'),
  ...rule(role, 'devices', ['read', 'create', 'update', 'delete', 'control'], 'all', 'all'),
  ...rule(role, 'schedules', ['read', 'create', 'update', 'delete'], 'all', 'all'),
  ...rule(role, 'siteCalendars', ['read', 'create', 'update', 'delete'], 'all', 'all'),
  ...rule(role, 'users', ['read'], 'all'),
  ...rule(role, 'cases', ['read'], 'all'),
  ...rule(role, 'alerts', ['read'], 'all'),
  ...rule(role, 'alertRules', ['read', 'create', 'update', 'delete'], 'all', 'all'),
  ...rule(role, 'maintenanceWindows', ['read', 'create', 'update', 'delete'], 'all', 'all'),
  ...rule(role, 'escalations', ['read', 'create', 'update', 'delete'], 'all', 'all'),
  ...rule(role, 'auditLog', ['read'], 'all'),
  ...rule(role, 'quarantine', ['read'], 'all'),
  ...rule(role, 'deviceLogs', ['read'], 'all'),
  ...rule(role, 'firmware', ['read'], 'all'),
  ...rule(role, 'firmwareRollouts', ['read'], 'all'),
  ...rule(role, 'firmwareInstalls', ['read'], 'all'),
  ...rule(role, 'notificationDeliveries', ['read'], 'all'),
  ...energyRecords.flatMap((entity) => rule(role, entity, ['read'], 'all')),
  ...reports.flatMap((service) => rule(role, service, ['use'], 'all')),
]

/**
 * Who may do what unless the host says otherwise: students see the devices of their classrooms and their own, faculty switch
 * these too, users have their own devices, administrators everything but each other, super-administrators everything.
 */
export const defaultAccessRules: readonly Rule[] = [
  ...ofEverybody('student'),
  ...rule('student', 'classrooms', ['read'], 'assigned'),
  ...rule('student', 'devices', ['read'], 'classroom'),
  ...rule('student', 'devices', ['read'], 'own'),
  ...rule('student', 'schedules', ['read'], 'classroom'),
  ...rule('student', 'siteCalendars', ['read'], 'assigned'),

  ...ofEverybody('faculty'),
  ...rule('faculty', 'classrooms', ['read'], 'assigned'),
  ...rule('faculty', 'devices', ['read', 'control'], 'classroom'),
  ...rule('faculty', 'devices', ['read', 'control'], 'own'),
  ...rule('faculty', 'activities', ['read'], 'classroom'),
  ...rule('faculty', 'cases', ['read'], 'classroom'),
  ...rule('faculty', 'cases', ['read'], 'own'),
  ...rule('faculty', 'alerts', ['read'], 'classroom'),
  ...rule('faculty', 'alertRules', ['read'], 'classroom'),
  ...rule('faculty', 'maintenanceWindows', ['read'], 'classroom'),
  ...rule('faculty', 'schedules', ['read'], 'classroom'),
  ...rule('faculty', 'schedules', ['read', 'update', 'delete'], 'own'),
  ...rule('faculty', 'siteCalendars', ['read'], 'assigned'),

  ...ofEverybody('user'),
  ...rule('user', 'devices', ['read', 'control'], 'own'),
  ...rule('user', 'devices', ['update'], 'own', ['name']),
  ...rule('user', 'schedules', ['read', 'update', 'delete'], 'own'),

  ...ofEverybody('admin'),
  ...ofAdministrators('admin'),
  ...rule('admin', 'users', ['update'], 'people', [...ofOneself, 'status', 'userType', 'assignedClassrooms']),
  ...rule('admin', 'users', ['delete'], 'people'),

  ...ofEverybody('super-admin'),
  ...ofAdministrators('super-admin'),
  ...rule('super-admin', 'users', ['create', 'update', 'delete'], 'all', 'all'),
  ...rule('super-admin', 'userPreferences', ['read', 'update'], 'all'),
  ...services
    .filter((service) => service !== 'analytics' && service !== 'energy')
    .flatMap((service) => rule('super-admin', service, ['use'], 'all')),
]
