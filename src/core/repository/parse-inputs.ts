import type { z } from 'zod'
import type { EntityDescription } from '../entity.js'
import { ValidationError } from '../errors.js'
import { issuesOf } from '../validate.js'
import { requireOpenData } from './data.js'

/**
 * The inputs as the schema gives them back.
 * @throws ValidationError with the issues of all of them, paths such as `2.name`.
 */
export function parseInputs<Output>(
  entity: EntityDescription,
  schema: z.ZodType<Output>,
  inputs: readonly unknown[],
): Output[] {
  for (const [index, input] of inputs.entries()) requireOpenData(entity, input, entity.name, `${index}.`)
  const results = inputs.map((input) => schema.safeParse(input))
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
