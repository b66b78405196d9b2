import type { Document } from 'mongodb'
import { schemaAt } from '../core/field-schema.js'
import { isRecord } from '../core/is-record.js'
import { userPreferencesEntity } from '../identity/preferences/user-preferences.js'

/** Where documents of users in the origin systems have what is in preferences here; what two of them say, the first decides. */
export const settingsFields = ['preferences', 'settings', 'notificationPreferences'] as const

type Fields = Readonly<Record<string, unknown>>
type Convert = (value: unknown) => unknown

/** Where a value is in their settings, and where it goes; what it is converted to has to fit the field. */
type Rule = readonly [from: string, to: string, convert?: Convert]

const enabled: Convert = (value) => (isRecord(value) && Object.keys(value).length === 1 ? value.enabled : value)
const theme: Convert = (value) => (value === 'system' ? 'auto' : value)

const rules: readonly Rule[] = [
  ...['', 'ui.'].flatMap((at): Rule[] => [
    [`${at}theme`, 'theme', theme],
    [`${at}language`, 'language'],
    [`${at}timezone`, 'timeZone'],
    [`${at}timeZone`, 'timeZone'],
    [`${at}energyUnit`, 'energy.unit'],
  ]),
  ...['notifications', 'notificationPreferences'].flatMap((at): Rule[] => [
    [`${at}.email`, 'notifications.email', enabled],
    [`${at}.push`, 'notifications.push', enabled],
    [`${at}.inApp`, 'notifications.push', enabled],
    [`${at}.telegram`, 'notifications.telegram', enabled],
    [`${at}.quietHours`, 'notifications.quietHours', quietHours],
  ]),
  ['emailNotifications', 'notifications.email'],
  ['pushNotifications', 'notifications.push'],
  ['quietHours', 'notifications.quietHours', quietHours],
  ['dashboards', 'dashboards', dashboards],
  ['energy.currency', 'energy.currency'],
  ['energy.currencyCode', 'energy.currency'],
  ...['', 'energy.'].flatMap((at): Rule[] => [
    [`${at}renewable_only`, 'energy.renewableOnly'],
    [`${at}max_trade_distance`, 'energy.maxTradeDistanceKm'],
    [`${at}price_alerts`, 'energy.priceAlerts'],
    [`${at}max_price_per_kwh`, 'energy.maxPricePerKwh'],
  ]),
  ['dataSharing', 'privacy.showsEnergy'],
  ['analytics', 'privacy.allowsAnalytics'],
]

/**
 * What a user has chosen in an origin system, as fields of preferences; undefined where nothing is said of it.
 * @param own What a system has in a document of its own, which decides before the user's document does.
 */
export function preferencesOf(user: Document, own?: Fields): Fields | undefined {
  const inUser = settingsFields.flatMap((name): [string, Fields][] => {
    const value: unknown = user[name]
    if (!isRecord(value)) return []
    return [[name, name === 'notificationPreferences' ? { notificationPreferences: value } : asTree(value)]]
  })
  const sources = own === undefined ? inUser : [['userpreferences', asTree(own)] as const, ...inUser]
  return sources.length === 0 ? undefined : mergedPreferences(sources)
}

function mergedPreferences(sources: readonly (readonly [string, Fields])[]): Fields {
  const chosen: Record<string, unknown> = {}
  const other: Record<string, unknown> = {}
  for (const [source, settings] of sources) {
    const rest = takeKnown(settings, chosen)
    for (const [name, value] of Object.entries(rest)) {
      const key = keyOf(name)
      other[Object.hasOwn(other, key) ? `${source}_${key}` : key] = value
    }
  }
  return { ...chosen, ...(Object.keys(other).length === 0 ? {} : { other }) }
}

/** One flag for all notifications, as SolChain has it, is one for each of the two channels that it has. */
function asTree(settings: Fields): Fields {
  const { notifications } = settings
  return typeof notifications === 'boolean'
    ? { ...settings, notifications: { email: notifications, push: notifications } }
    : settings
}

/** Puts what has a field into `chosen`, unless that is decided. @returns what is left of the settings. */
function takeKnown(settings: Fields, chosen: Record<string, unknown>): Fields {
  let rest = settings
  for (const [from, to, convert = (value: unknown) => value] of rules) {
    const found = valueAt(rest, from.split('.'))
    if (found === undefined || valueAt(chosen, to.split('.')) !== undefined) continue
    const result = schemaAt(userPreferencesEntity, to)?.safeParse(convert(found))
    if (result?.success !== true || result.data === undefined) continue
    place(chosen, to, result.data)
    rest = without(rest, from.split('.'))
  }
  return rest
}

function valueAt(fields: Fields, [head = '', ...tail]: readonly string[]): unknown {
  const value = Object.hasOwn(fields, head) ? fields[head] : undefined
  if (tail.length === 0) return value
  return isRecord(value) ? valueAt(value, tail) : undefined
}

function place(chosen: Record<string, unknown>, path: string, value: unknown): void {
  const [section = '', name] = path.split('.')
  const before = chosen[section]
  chosen[section] = name === undefined ? value : { ...(isRecord(before) ? before : {}), [name]: value }
}

/** The fields without that one, and without what was around it alone. */
function without(fields: Fields, [head = '', ...tail]: readonly string[]): Fields {
  const { [head]: value, ...others } = fields
  if (tail.length === 0 || !isRecord(value)) return others
  const left = without(value, tail)
  return Object.keys(left).length === 0 ? others : { ...others, [head]: left }
}

/** A name that documents here may have. */
function keyOf(name: string): string {
  const plain = name.replace(/\W/g, '_').slice(0, 90)
  return /^[A-Za-z_]/.test(plain) ? plain : `_${plain}`
}

function quietHours(value: unknown): unknown {
  if (!isRecord(value)) return undefined
  const { enabled: isOn, startTime, endTime, ...rest } = value
  return isOn === true && Object.keys(rest).length === 0 ? { from: startTime, to: endTime } : undefined
}

function dashboards(value: unknown): unknown {
  if (!Array.isArray(value)) return undefined
  return value.map((dashboard: unknown) => {
    if (!isRecord(dashboard)) return dashboard
    const { id, name, isDefault, widgets = [], ...settings } = dashboard
    const isPlain = Object.keys(settings).length === 0
    return { id, name, ...(isDefault === undefined ? {} : { isDefault }), widgets, ...(isPlain ? {} : { settings }) }
  })
}
