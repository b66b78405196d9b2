import { z } from 'zod'

/** A function among the options. */
export const callback = <Function extends (...args: never[]) => unknown>() =>
  z.custom<Function>((value) => typeof value === 'function', { error: 'expected a function' })

/** An object of somebody else's, known by the functions that it has. @param what Such as `a tracer`. */
export const havingFunctions = <Of>(what: string, ...names: readonly (keyof Of & string)[]) =>
  z.custom<Of>((value) => names.every((name) => hasFunction(value, name)), { error: `expected ${what}` })

function hasFunction(value: unknown, name: string): boolean {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false
  try {
    return typeof Reflect.get(value, name) === 'function'
  } catch {
    return false
  }
}

/** The signal that a caller aborts to stop. */
export const abortSignal = () => z.instanceof(AbortSignal, { error: 'expected an AbortSignal' })

/** The pause between two runs, ms: 24 days at most, the longest that timers can wait. */
export const everyMs = () => z.int().min(1).max(2_147_483_647)
