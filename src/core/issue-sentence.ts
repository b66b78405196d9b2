import type { z } from 'zod'

/** How zod begins the sentences that it makes itself; those of a schema's own begin otherwise. */
const ofZod = /^(Invalid |Too (small|big)|Unrecognized key)/

/** What is wrong, as the library says it: what was expected of the field. A message of the schema's own is kept. */
export function sentenceOf(issue: z.core.$ZodIssue, received: string): string {
  if (!ofZod.test(issue.message)) return issue.message
  if (received === 'undefined' && issue.path.length > 0) return 'is required'
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${nameOf(issue.expected)}`
    case 'too_big':
      return bound(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum)
    case 'too_small':
      return bound(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum)
    case 'invalid_format':
      return `expected ${formats[issue.format] ?? (issue.pattern === undefined ? `the format ${issue.format}` : `a text like ${issue.pattern}`)}`
    case 'not_multiple_of':
      return `expected a multiple of ${issue.divisor}`
    case 'invalid_value':
      return `expected ${issue.values.map((value) => JSON.stringify(value) ?? String(value)).join(' or ')}`
    case 'invalid_union':
      return 'has none of the forms that it may have'
    case 'invalid_key':
      return 'has a name that is not allowed'
    default:
      return 'is not valid'
  }
}

const names: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  date: 'a Date',
  array: 'a list',
  object: 'an object',
  record: 'an object',
  null: 'null',
}

function nameOf(type: string): string {
  return names[type] ?? `a value of the type ${type}`
}

const formats: Readonly<Record<string, string>> = {
  date: 'a day, YYYY-MM-DD',
  datetime: 'an instant, such as 2026-11-29T18:00:00Z',
  email: 'an e-mail address',
  url: 'a URL',
  uuid: 'a UUID',
}

function bound(origin: string, comparison: string, limit: number | bigint): string {
  if (origin === 'date') return `expected a time of ${comparison} ${new Date(Number(limit)).toISOString()}`
  const of = ({ string: ' characters', array: ' items', set: ' items' } as Readonly<Record<string, string>>)[origin]
  return `expected ${comparison} ${limit}${of ?? ''}`
}
