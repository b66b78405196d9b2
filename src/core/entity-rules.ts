import type { z } from 'zod'
import { type MongoJsonSchema, toMongoJsonSchema } from './json-schema.js'

/** A rule across several fields, checked here and by the server. */
export interface EntityRule {
  readonly path: string
  readonly message: string
  readonly check: (document: Readonly<Record<string, unknown>>) => boolean
  /** What exactly breaks it, where `path` and `message` cannot say so for every document. */
  readonly explain?: (document: Readonly<Record<string, unknown>>) => Pick<EntityRule, 'path' | 'message'> | undefined
  /** The same rule as a MongoDB aggregation expression; `$exists` is written as a comparison with `$type`. */
  readonly expression: Readonly<Record<string, unknown>>
}

/** The rule as a check of the input. */
export function ruleCheck(rule: EntityRule): z.core.CheckFn<Record<string, unknown>> {
  return (payload) => {
    if (rule.check(payload.value)) return
    const { path: where, message } = rule.explain?.(payload.value) ?? rule
    const path = where === '' ? [] : where.split('.')
    payload.issues.push({ code: 'custom', path, message, input: payload.value })
  }
}

/** What the server checks of a document. */
export function serverValidator(schema: z.ZodObject, rules: readonly EntityRule[]): MongoJsonSchema {
  const shape = { $jsonSchema: toMongoJsonSchema(schema) }
  return rules.length === 0 ? shape : { $and: [shape, ...rules.map((rule) => ({ $expr: rule.expression }))] }
}
