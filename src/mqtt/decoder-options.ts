import { DatabaseError } from '../core/errors.js'
import { isPlainObject } from '../core/is-record.js'
import { normalizeMacAddress } from '../devices/mac-address.js'
import type { ReportedDevice } from '../ingestion/report.js'

/** @throws DatabaseError `CONFIGURATION`. */
export function requirePrefix(decoder: string, prefix: unknown): void {
  if (typeof prefix === 'string' && /^[^+#\0]+$/.test(prefix) && !/^\/|\/$/.test(prefix)) return
  throw misuse(
    decoder,
    '`prefix` is a level of a topic, or several: not empty, without `+` and `#`, no `/` at its ends',
  )
}

/** A topic with one `+`, or none, which is written `{mac}`. @throws DatabaseError `CONFIGURATION`. */
export function requireStatusTopic(decoder: string, topic: unknown): void {
  const levels = typeof topic === 'string' && topic !== '' ? topic.split('/') : ['+']
  const places = levels.filter((level) => level === '{mac}').length
  if (places < 2 && levels.every((level) => level === '{mac}' || !/[+#\0]|\{mac\}/.test(level))) return
  throw misuse(decoder, 'a status topic has no `+` and no `#`, and at most one level that is `{mac}`')
}

/** @throws DatabaseError `CONFIGURATION`. */
export function requireTopic(decoder: string, topic: string): void {
  if (topic !== '' && !/[+#\0]/.test(topic)) return
  throw misuse(decoder, 'a topic that is mapped to a device is not empty, and has no `+` and no `#`')
}

/** @throws DatabaseError `CONFIGURATION`. */
export function requireDevice(decoder: string, device: ReportedDevice): void {
  requireObject(decoder, device)
  const isNamed =
    'macAddress' in device
      ? normalizeMacAddress(device.macAddress) !== undefined
      : typeof device.deviceId === 'string' && /^[0-9a-fA-F]{24}$/.test(device.deviceId)
  if (isNamed) return
  throw misuse(decoder, 'a device is named by its MAC address, or by its id in 24 hexadecimal digits')
}

/** @throws DatabaseError `CONFIGURATION`. */
export function requireObject(decoder: string, given: unknown): void {
  if (!isPlainObject(given)) throw misuse(decoder, 'expected an object')
}

export function misuse(decoder: string, message: string): DatabaseError {
  return new DatabaseError('CONFIGURATION', `The options of the ${decoder} decoder: ${message}`)
}
