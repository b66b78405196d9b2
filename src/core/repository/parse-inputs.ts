import { compiled } from '../compiled-schema.js'
import type { EntityDescription } from '../entity.js'
import { ValidationError } from '../errors.js'
import type { SchemaLike } from '../schema-like.js'
import { issuesOf } from '../validate.js'
import { requireOpenData } from './data.js'

/**
 * The inputs as the schema gives them back.
 * @throws ValidationError with the issues of all of them, paths such as `2.name`.
 */
export function parseInputs<Output>(
  entity: EntityDescription,
  schema: SchemaLike<Output>,
  inputs: readonly unknown[],
): Output[] {
  for (const [index, input] of inputs.entries()) requireOpenData(entity, input, entity.name, `${index}.`)
  const parser = compiled(schema)
  const results = inputs.map((input) => parser.safeParse(input))
  const issues = results.flatMap((result, index) =>
    result.success
      ? []
      : issuesOf(result.error, inputs[index]).map((issue) => ({ ...issue, path: pathIn(index, issue.path) })),
  )
  if (issues.length > 0) throw new ValidationError(entity.name, issues)
  return results.map((result) => result.data as Output)
}

function pathIn(index: number, path: string): string {
  return path === '' ? String(index) : `${index}.${path}`
}
