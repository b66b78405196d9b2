/**
 * Names for those of our collections whose usual names the origin systems have for their own: with them the database of an origin
 * system can be adopted into itself, and the old application goes on in it. For the option `collections` of the handle, from the
 * adoption on for good.
 * @example
 * const volt = await AutoVolt.open({ uri, dbName: 'school', collections: collectionsBesideOrigin })
 */
export const collectionsBesideOrigin = {
  users: 'autovolt_users',
  classrooms: 'autovolt_classrooms',
  devices: 'autovolt_devices',
  costVersions: 'autovolt_cost_versions',
  telemetry: 'autovolt_telemetry_events',
  intervals: 'autovolt_device_consumption_ledger',
  dailyAggregates: 'autovolt_daily_aggregates',
  monthlyAggregates: 'autovolt_monthly_aggregates',
  schedules: 'autovolt_schedules',
  notifications: 'autovolt_notifications',
  deviceCommands: 'autovolt_device_commands',
} as const
