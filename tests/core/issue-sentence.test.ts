import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { toObjectId } from '../../src/core/fields.js'
import { validateData } from '../../src/core/validate.js'
import { questionSchemas } from '../../src/energy/analytics/question-schemas.js'

const messageOf = (call: () => unknown) => {
  try {
    call()
  } catch (error) {
    return (error as Error).message
  }
  return undefined
}

describe('what is wrong with an input', () => {
  it.each([
    [z.string(), 5, 'expected a text'],
    [z.int(), 'a', 'expected a number'],
    [z.int(), 1.5, 'expected a whole number'],
    [z.boolean(), 'yes', 'expected true or false'],
    [z.date(), 5, 'expected a Date'],
    [z.array(z.string()), 'a', 'expected a list'],
    [z.strictObject({}), 'a', 'expected an object'],
    [z.string().max(3), 'long', 'expected at most 3 characters'],
    [z.string().min(3), '', 'expected at least 3 characters'],
    [z.array(z.int()).max(1), [1, 2], 'expected at most 1 items'],
    [z.number().gt(3), 3, 'expected more than 3'],
    [z.number().lt(3), 3, 'expected less than 3'],
    [z.date().min(new Date(0)), new Date(-1), 'expected a time of at least 1970-01-01T00:00:00.000Z'],
    [z.int().multipleOf(5), 6, 'expected a multiple of 5'],
    [z.enum(['a', 'b']), 'c', 'expected "a" or "b"'],
    [z.literal(1), 2, 'expected 1'],
    [z.union([z.string(), z.int()]), true, 'has none of the forms that it may have'],
    [z.iso.date(), 'today', 'expected a day, YYYY-MM-DD'],
    [z.string().regex(/^a/), 'b', 'expected a text like /^a/'],
    [z.email(), 'b', 'expected an e-mail address'],
    [z.string({ error: 'Your own sentence' }), 5, 'Your own sentence'],
    [z.string(), undefined, 'is required'],
  ])('is said with the name of the field', (schema, value, sentence) => {
    const call = () => validateData(z.strictObject({ field: schema }), { field: value }, 'The input')
    expect(messageOf(call)).toBe(`The input is not valid: field: ${sentence}`)
  })

  it('is one reason for each field, the first', () => {
    const question = { from: '9999-03-01', to: '9999-01-01' }
    expect(messageOf(() => validateData(questionSchemas.peakHours, question, 'The question'))).toBe(
      'The question is not valid: to: expected a day not before the first',
    )
    const months = { from: '2000-01', to: '9999-01' }
    expect(messageOf(() => validateData(questionSchemas.monthlyTrends, months, 'The question'))).toBe(
      'The question is not valid: to: expected at most 120 months',
    )
  })

  it('names the parameter of an id', () => {
    expect(messageOf(() => toObjectId('12'))).toBe(
      'The id is not valid: id: expected an ObjectId or 24 hexadecimal digits',
    )
    expect(messageOf(() => toObjectId('12', 'switchId'))).toMatch(/^The id is not valid: switchId: /)
  })
})
