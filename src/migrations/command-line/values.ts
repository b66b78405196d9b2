import { DatabaseError } from '../../core/errors.js'
import type { CommandValues } from './command.js'

/** The text of an option; undefined where it was not given. */
export function textOf(values: CommandValues, name: string): string | undefined {
  const value = values[name]
  return typeof value === 'string' ? value : undefined
}

/** A whole number. @throws DatabaseError `CONFIGURATION`. */
export function numberOf(values: CommandValues, name: string): number | undefined {
  const text = textOf(values, name)
  if (text === undefined) return undefined
  if (!/^\d{1,9}$/.test(text)) {
    throw new DatabaseError('CONFIGURATION', `--${name} takes a whole number, and not ${JSON.stringify(text)}`)
  }
  return Number(text)
}

/** An object with the option, for what takes it only where it was given. */
export function given<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { readonly [N in Name]?: Value } {
  return value === undefined ? {} : ({ [name]: value } as { readonly [N in Name]?: Value })
}
