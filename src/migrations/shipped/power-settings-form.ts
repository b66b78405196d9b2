import type { Document } from 'mongodb'
import { isRecord } from '../../core/is-record.js'
import { isCurrency, isPrice } from '../../metering/index.js'
import type { FieldChanges } from './rewriting.js'

const symbols: Readonly<Record<string, string>> = { '₹': 'INR', rs: 'INR', 'rs.': 'INR', '€': 'EUR', '£': 'GBP' }
const units: Readonly<Record<string, string>> = {
  w: 'W',
  watt: 'W',
  watts: 'W',
  kw: 'kW',
  kilowatt: 'kW',
  kilowatts: 'kW',
}
const priceScale = 1e6

/**
 * What has to change of power settings of an older form: the name, the ISO code of the currency, at most six decimals of the
 * price, kinds of devices in small letters with the units W and kW, and the number of their version.
 * @returns undefined if nothing has to.
 */
export function settingsChanges(document: Document): FieldChanges | undefined {
  const { name, singleton, currency, electricityPrice, deviceTypes, version } = document
  const wanted: Record<string, unknown> = {
    ...(name === undefined && singleton === 'power_settings' ? { name: 'default' } : {}),
    ...('singleton' in document ? { singleton: undefined } : {}),
    ...given('currency', currency, currencyOf(currency)),
    ...given('electricityPrice', electricityPrice, priceOf(electricityPrice)),
    ...given('deviceTypes', deviceTypes, typesOf(deviceTypes)),
    ...(version === undefined ? { version: 1 } : {}),
  }
  return Object.keys(wanted).length === 0 ? undefined : wanted
}

/** Power settings of an older form as ours are. */
export function adaptedSettings(document: Document): Document {
  const changes = settingsChanges(document)
  if (changes === undefined) return document
  const kept = Object.entries({ ...document, ...changes }).filter(([, value]) => value !== undefined)
  return Object.fromEntries(kept)
}

/** The kind of a device, as others name it. */
export function typeName(type: unknown): unknown {
  return typeof type === 'string' ? type.trim().toLowerCase() : type
}

function given(name: string, before: unknown, after: unknown): FieldChanges {
  return JSON.stringify(before) === JSON.stringify(after) ? {} : { [name]: after }
}

function currencyOf(currency: unknown): unknown {
  if (typeof currency !== 'string') return currency
  const text = currency.trim()
  const code = symbols[text.toLowerCase()] ?? text.toUpperCase()
  return isCurrency(code) ? code : currency
}

function priceOf(price: unknown): unknown {
  return typeof price === 'number' && !isPrice(price) ? Math.round(price * priceScale) / priceScale : price
}

function typesOf(types: unknown): unknown {
  if (types === undefined) return []
  return Array.isArray(types) ? types.map(typeOf) : types
}

function typeOf(one: unknown): unknown {
  if (!isRecord(one)) return one
  const { _id, type, unit = 'W', ...rest } = one
  return { type: typeName(type), ...rest, unit: units[String(unit).trim().toLowerCase()] ?? unit }
}
