import type { Decoder, Decoding } from '../../../src/ingestion/report.js'

export const mac = 'AA:BB:CC:DD:EE:01'
export const bareMac = 'aabbccddee01'
export const secret = 'a-device-secret-0123456789'

/** What the decoder makes of the payload; objects are sent as JSON. */
export function decode(decoder: Decoder, topic: string, payload: object | string | Uint8Array): Decoding {
  const isBytes = typeof payload === 'string' || payload instanceof Uint8Array
  return decoder.decode(topic, Buffer.from(isBytes ? payload : JSON.stringify(payload)))
}

/** The reason for which the decoder refuses the payload; undefined if it does not. */
export function reasonFor(...call: Parameters<typeof decode>): string | undefined {
  const decoding = decode(...call)
  return 'reports' in decoding ? undefined : decoding.reason
}

/** Payloads that no protocol takes, each with the reason. */
export const hopeless: readonly (readonly [what: string, payload: string | Uint8Array, reason: string])[] = [
  ['nothing', '', 'not_json'],
  ['words', 'reboot me', 'not_json'],
  ['bytes that are no text', Buffer.from([0xff, 0xfe, 0x00, 0x80]), 'not_json'],
  ['control characters inside a text', '{"mac":"\u0000\u0007"}', 'not_json'],
  ['NaN', '{"gpio":NaN}', 'not_json'],
  ['Infinity', '{"gpio":Infinity}', 'not_json'],
  ['two objects', '{}{}', 'not_json'],
  ['JSON that ends after its beginning', '{"mac":"AA:BB:CC:DD:EE:01","gp', 'truncated'],
  ['a brace alone', '{', 'truncated'],
  ['null', 'null', 'invalid'],
  ['a number', '17', 'invalid'],
  ['a text', '"online"', 'invalid'],
  ['a list', '[{}]', 'invalid'],
  ['an empty object', '{}', 'invalid'],
  ['deeply nested lists', `{"gpio":${'['.repeat(5_000)}${']'.repeat(5_000)}}`, 'invalid'],
  ['65,537 bytes', `{"mac":"${'a'.repeat(65_527)}"}`, 'too_large'],
]

/** Keys that would reach a prototype if they were copied carelessly. */
export const prototypeKeys = ['__proto__', 'constructor', 'prototype', 'toString'] as const
