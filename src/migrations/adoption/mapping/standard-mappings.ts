import { collection } from './collection.js'
import type { AdoptionMapping, OriginSystem } from './mapping.js'
import { solchain } from './solchain-mapping.js'

const extras = 'adoption_extras, until the library has a place for it'
const nothing = 'nothing: it is computed anew, and compared'
const userTypes = { 'super-admin': 'admin', admin: 'admin', student: 'consumer', guest: 'consumer', '*': 'staff' }
/** What somebody may do: never more than there. */
const rights = {
  'super-admin': 'super-admin',
  admin: 'admin',
  dean: 'faculty',
  hod: 'faculty',
  faculty: 'faculty',
  teacher: 'faculty',
  student: 'student',
  '*': 'user',
}
const actions = { on: 'on', manual_on: 'on', off: 'off', manual_off: 'off' }
const endings = { device_offline: 'away', device_disconnected: 'away', '*': 'nothing' }
const causes = {
  user: 'backend',
  voice_assistant: 'backend',
  schedule: 'schedule',
  manual_switch: 'manual',
  '*': 'unknown',
}

const keptOfAutovolt = [
  'rolepermissions',
  'classroomaccesses',
  'devicepermissions',
  'permissionrequests',
  'telegramusers',
  'schedules',
  'holidays',
  'classextensionrequests',
  'settings',
]
const keptOfMaestro = ['userpreferences']

/** The collections of the public versions that are kept whole, until the library has a place for them. */
export const keptWhole: ReadonlySet<string> = new Set([...keptOfAutovolt, ...keptOfMaestro])

const autovolt = [
  collection(
    'users',
    'users',
    {
      email: 'users.email',
      name: 'users.name',
      role: 'users.userType and users.role',
      isApproved: 'users.status',
      isActive: 'users.status',
      password: 'users.password, if it is a bcrypt hash',
      assignedRooms: 'users.assignedClassrooms, by the names of rooms',
      department: 'users.profile.department',
      phone: 'users.profile.phone',
      profilePicture: 'users.profile.avatar',
      lastLogin: 'users.lastLogin',
      notificationPreferences: 'user_preferences.notifications',
      employeeId: extras,
    },
    { role: userTypes, rights },
  ),
  collection('classrooms', 'classrooms', {
    name: 'classrooms.name',
    building: 'classrooms.building',
    floor: 'classrooms.floor',
    capacity: 'classrooms.capacity',
  }),
  collection('devices', 'devices', {
    name: 'devices.name',
    macAddress: 'devices.macAddress',
    classroom: 'devices.classroom, by the name of the room',
    deviceSecret: 'devices.secret, encrypted',
    status: 'devices.status',
    lastSeen: 'devices.lastSeenAt',
    switches: 'devices.switches',
  }),
  collection('devices.switches', 'devices.switches', {
    name: 'devices.switches.name',
    relayGpio: 'devices.switches.gpio',
    gpio: 'devices.switches.gpio, where there is no relayGpio',
    type: 'devices.switches.type',
    powerRating: 'devices.switches.powerRating',
    manualSwitchGpio: 'devices.switches.manualGpio',
    manualMode: 'devices.switches.manualMode',
    state: 'devices.switches.state',
    lastStateChange: 'devices.switches.stateAt',
  }),
  collection('cost_versions', 'cost_versions', {
    cost_per_kwh: 'cost_versions.pricePerKwh',
    effective_from: 'cost_versions.startsAt',
    effective_until: 'cost_versions.startsAt of what follows',
    scope: 'cost_versions.tariff',
    classroom: 'cost_versions.tariff, by the name of the room',
    is_active: 'whether it is adopted',
    notes: 'cost_versions.note',
  }),
  collection('powersettings', 'power_settings', {
    electricityPrice: 'power_settings.electricityPrice, where there are no cost_versions',
    currency: 'nothing: the currency is an option of the adoption',
    deviceTypes: 'power_settings.deviceTypes',
  }),
  collection(
    'activitylogs',
    'power_consumption_ledger and activity_logs',
    {
      deviceId: 'deviceId',
      switchId: 'switchId, else by switchName',
      switchName: 'switchId',
      action: 'eventType',
      timestamp: 'timestamp',
      powerConsumption: 'powerRating',
      triggeredBy: 'activity_logs.cause',
      userId: 'activity_logs.userId',
      userName: 'activity_logs.userName',
    },
    { action: { ...actions, ...endings }, triggeredBy: causes },
  ),
  collection('switchstatelogs', 'power_consumption_ledger, of switches that activitylogs do not cover', {
    deviceId: 'deviceId',
    switchId: 'switchId, else by switchName',
    switchName: 'switchId',
    state: 'eventType',
    timestamp: 'timestamp',
    powerRating: 'powerRating',
    consumptionFactor: 'powerRating, times this',
  }),
  collection('device_consumption_ledger', 'power_consumption_ledger, where logs do not cover it', {
    device_id: 'deviceId',
    switch_id: 'switchId, else by switch_name; without it the channel of the whole device',
    switch_name: 'switchId',
    start_ts: 'timestamp',
    end_ts: 'timestamp',
    power_w: 'powerRating',
    delta_wh: 'adjustment.energyWs, of a whole device',
    switch_on_duration_seconds: 'whether it agrees with itself',
    raw_event_ids: 'whether the same event was counted before',
  }),
  collection('powerreadings', 'energy_measurements; power_consumption_ledger of days that nothing else covers', {
    deviceId: 'energy_measurements.meta.device',
    timestamp: 'energy_measurements.timestamp',
    power: 'energy_measurements.power',
    voltage: 'energy_measurements.voltage',
    current: 'energy_measurements.current',
    energy: 'energy_measurements.energy_amount; adjustment.energyWs',
    totalEnergy: 'energy_measurements.counter_wh',
  }),
  collection('telemetry_events', 'energy_measurements, or telemetry_events without power and counter', {
    device_id: 'meta.device, by the MAC address',
    timestamp: 'timestamp',
    received_at: 'received_at',
    power_w: 'energy_measurements.power',
    energy_wh_total: 'energy_measurements.counter_wh',
    status: 'telemetry_events.status',
    uptime_seconds: 'telemetry_events.uptime_seconds',
  }),
  collection('energyconsumptions', 'power_consumption_ledger of days that no better collection covers', {
    deviceId: 'deviceId',
    year: 'timestamp',
    month: 'timestamp',
    day: 'timestamp',
    totalEnergyKwh: 'adjustment.energyWs',
  }),
  collection('dailyconsumptions', 'power_consumption_ledger of days that no better collection covers', {
    deviceId: 'deviceId',
    date: 'timestamp',
    energyConsumptionKwh: 'adjustment.energyWs',
  }),
  collection('monthlyconsumptions', nothing, {
    deviceId: 'which device',
    year: 'which month',
    month: 'which month',
    energyConsumptionKwh: 'what is compared',
  }),
  collection('daily_aggregates', nothing, {
    device_id: 'which device',
    date_string: 'which day',
    total_wh: 'what is compared',
  }),
  collection('monthly_aggregates', nothing, {
    device_id: 'which device',
    month_string: 'which month',
    total_wh: 'what is compared',
  }),
  ...keptOfAutovolt.map((name) => collection(name, extras)),
]

const maestro = [
  collection(
    'users',
    'users',
    {
      email: 'users.email',
      displayName: 'users.name',
      role: 'users.userType and users.role',
      isSuspended: 'users.status',
      isActive: 'users.status',
      auth: 'users.password, if it is a bcrypt hash',
      profile: 'users.firstName and users.profile',
      settings: 'user_preferences',
      lastLoginAt: 'users.lastLogin',
    },
    {
      role: { admin: 'admin', installer: 'staff', '*': 'consumer' },
      rights: { admin: 'admin', '*': 'user' },
    },
  ),
  ...keptOfMaestro.map((name) => collection(name, extras)),
]

const jupiter = [
  collection('users', 'users', { email: 'users.email', name: 'users.name' }, { rights: { '*': 'user' } }),
]

/** What of each origin system becomes what here, as the public versions have it. */
export const standardMappings: Readonly<Record<OriginSystem, AdoptionMapping>> = {
  autovolt: { system: 'autovolt', collections: Object.fromEntries(autovolt) },
  maestro: { system: 'maestro', collections: Object.fromEntries(maestro) },
  jupiter: { system: 'jupiter', collections: Object.fromEntries(jupiter) },
  solchain: { system: 'solchain', collections: Object.fromEntries(solchain) },
}
