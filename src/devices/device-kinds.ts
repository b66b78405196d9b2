import type { EntityRule } from '../core/entity.js'

/** The kinds of devices that the library knows; a host may use words of its own. */
const deviceTypes = [
  'esp32',
  'sensor',
  'gateway',
  'smart_plug',
  'smart_meter',
  'solar_inverter',
  'inverter',
  'solar_panel',
  'battery_storage',
  'ev_charger',
  'heat_pump',
  'weather_station',
] as const

/** What a kind of device has to have, beside one of MAC address and external id, which every device has. */
interface Requirement {
  readonly message: string
  readonly types: readonly string[]
  /** One of these fields is enough. */
  readonly anyOf: readonly string[]
}

const installed = ['esp32', 'sensor', 'gateway']
const owned = deviceTypes.filter((type) => !installed.includes(type))

const requirements: readonly Requirement[] = [
  { message: 'an esp32 needs a MAC address', types: ['esp32'], anyOf: ['macAddress'] },
  { message: 'a device of this type needs a classroom', types: installed, anyOf: ['classroom'] },
  { message: 'a device of this type needs an owner or a classroom', types: owned, anyOf: ['owner', 'classroom'] },
]

/** What devices are asked for by their type; those of a host's own types only for an identity. */
export const kindRules: readonly EntityRule[] = [
  {
    path: 'macAddress',
    message: 'a device needs a MAC address or an external id',
    check: (device) => hasAny(device, ['macAddress', 'externalId']),
    expression: hasAnyExpression(['macAddress', 'externalId']),
  },
  ...requirements.map(({ message, types, anyOf }) => ({
    path: anyOf[0] ?? '',
    message,
    check: (device: Readonly<Record<string, unknown>>) => !types.includes(String(device.type)) || hasAny(device, anyOf),
    expression: { $or: [{ $not: [{ $in: ['$type', types] }] }, hasAnyExpression(anyOf)] },
  })),
]

function hasAny(device: Readonly<Record<string, unknown>>, fields: readonly string[]): boolean {
  return fields.some((field) => device[field] !== undefined)
}

function hasAnyExpression(fields: readonly string[]) {
  return { $or: fields.map((field) => ({ $ne: [{ $type: `$${field}` }, 'missing'] })) }
}
