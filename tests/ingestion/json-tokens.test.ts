import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type JsonEnd, jsonTokens } from '../../src/ingestion/json-tokens.js'
import { readJsonObject } from '../../src/mqtt/json-payload.js'

function endOf(text: string): JsonEnd {
  const tokens = jsonTokens(text)
  for (;;) {
    const next = tokens.next()
    if (next.done === true) return next.value
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

describe('a text that is read as JSON', () => {
  it.each([
    ['{"a":1', 'open'],
    ['{"a":[1,{"b":"c', 'open'],
    ['{"a":tru', 'open'],
    ['{"a":-', 'open'],
    ['{"a":1.', 'open'],
    ['{"a":1e+', 'open'],
    ['{"a":"\\', 'open'],
    ['{"a":"\\u00', 'open'],
    ['{"a', 'open'],
    ['{', 'open'],
    ['[ ', 'open'],
    ['"onl', 'open'],
    ['{"a":1}', 'whole'],
    ['{"a":1}{', 'wrong'],
    ['{"a":1}x', 'wrong'],
    ['{"a":1,}', 'wrong'],
    ['[1,]', 'wrong'],
    ['{"a" 1', 'wrong'],
    ['{a:1', 'wrong'],
    ["{'a':1", 'wrong'],
    ['{"a":nan', 'wrong'],
    ['{"a":NaN', 'wrong'],
    ['{"a":01', 'wrong'],
    ['{"a":1.e', 'wrong'],
    ['{"a":.5', 'wrong'],
    ['{"a":+1', 'wrong'],
    ['{"a":"\\x', 'wrong'],
    ['{"a":"\\u00g', 'wrong'],
    ['{"a":"\u0001', 'wrong'],
    ['{"a":]', 'wrong'],
    ['{"a":1]', 'wrong'],
    ['tru', 'wrong'],
    ['-', 'wrong'],
    ['', 'wrong'],
    [' \n', 'wrong'],
    ['\ufeff{"a":1', 'wrong'],
  ])('%j is %s', (text, end) => expect(endOf(text)).toBe(end))

  it('is whole where JSON.parse takes it, and only there', () => {
    const nearly = fc
      .array(fc.constantFrom(...'{}[]",:\\-.0123eE truefalsn/u'), { maxLength: 12 })
      .map((all) => all.join(''))
    fc.assert(
      fc.property(fc.oneof(fc.json(), nearly, fc.string()), (text) => {
        expect(endOf(text) === 'whole').toBe(isJson(text))
      }),
      { numRuns: 2_000 },
    )
  })

  it('is open wherever it is cut, and wrong with anything behind it', () => {
    const objects = fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.array(fc.jsonValue()))
    fc.assert(
      fc.property(objects, fc.nat(), fc.constantFrom('{', '}', 'x', '1', '"', ','), (value, seed, more) => {
        const text = JSON.stringify(value)
        expect(endOf(text.slice(0, 1 + (seed % Math.max(1, text.length - 1))))).toBe(text.length > 1 ? 'open' : 'whole')
        expect(endOf(text + more)).toBe('wrong')
      }),
    )
  })

  it('costs no more than its length, however it is made', () => {
    const count = (text: string) => [...jsonTokens(text)].length
    for (const unit of ['[', '{"a":', '"\\u0041', '1', '-', ' ', '"', 'true', '[1,']) {
      const text = unit.repeat(Math.floor(65_536 / unit.length))
      expect(count(text)).toBeLessThanOrEqual(text.length)
    }
  })
})

const file = new URL('../../../shared/data/payloads.jsonl', import.meta.url)
const payloads = (() => {
  try {
    const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean)
    return lines.map((line) => JSON.parse(line) as { readonly payload: string; readonly tags: readonly string[] })
  } catch {
    return undefined
  }
})()

describe('what devices of all makers print', () => {
  it.runIf(payloads !== undefined)('is an object, cut, or no JSON at all', () => {
    for (const { payload } of payloads ?? []) {
      const json = readJsonObject(Buffer.from(payload))
      if (isJson(payload)) {
        const isObject = /^\s*\{/.test(payload)
        expect(json).toEqual(
          isObject ? { object: JSON.parse(payload) } : { reason: 'invalid', detail: expect.any(String) },
        )
        if (!isObject) continue
        const bytes = Buffer.from(payload.trim())
        for (const length of [1, bytes.length >> 1, bytes.length - 1])
          expect(readJsonObject(bytes.subarray(0, length))).toMatchObject({ reason: 'truncated' })
        expect(readJsonObject(Buffer.concat([bytes, Buffer.alloc(3)]))).toEqual(json)
        expect(readJsonObject(Buffer.concat([bytes, Buffer.from('}')]))).toMatchObject({ reason: 'not_json' })
      } else {
        expect(json).toMatchObject({ reason: endOf(payload) === 'open' ? 'truncated' : 'not_json' })
      }
    }
  })

  it.runIf(payloads !== undefined)('has a word for what it is: nan is no JSON, and cut is cut', () => {
    const tagged = (tag: string) =>
      (payloads ?? []).filter(({ tags }) => tags.includes(tag)).map(({ payload }) => payload)
    expect(tagged('truncated').map(endOf)).toEqual(['open', 'open'])
    for (const payload of tagged('nan')) expect(isJson(payload) || endOf(payload) === 'wrong').toBe(true)
  })
})
