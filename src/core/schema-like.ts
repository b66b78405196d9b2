import type { z } from 'zod'

/**
 * As much of a zod schema as our public types need to know. Every zod schema is one; comparing whole zod types would cost
 * a consumer's type checker seconds.
 */
export interface SchemaLike<out Output = unknown, out Input = unknown> {
  readonly _zod: { readonly output: Output; readonly input: Input }
}

export type Shape = Readonly<Record<string, SchemaLike>>

type Flat<T> = { [K in keyof T]: T[K] }
type OptionalOut = { readonly _zod: { readonly optout: 'optional' } }
type OptionalIn = { readonly _zod: { readonly optin: 'optional' | 'defaulted' } }

/** Output of: what an object of these fields is, once it is parsed. */
export type OutputOf<Fields extends Shape> = Flat<
  { -readonly [K in keyof Fields as Fields[K] extends OptionalOut ? never : K]: Fields[K]['_zod']['output'] } & {
    -readonly [K in keyof Fields as Fields[K] extends OptionalOut ? K : never]?: Fields[K]['_zod']['output']
  }
>

/** Parsed from: what is parsed to one. */
export type ParsedFrom<Fields extends Shape> = Flat<
  { -readonly [K in keyof Fields as Fields[K] extends OptionalIn ? never : K]: Fields[K]['_zod']['input'] } & {
    -readonly [K in keyof Fields as Fields[K] extends OptionalIn ? K : never]?: Fields[K]['_zod']['input']
  }
>

/** The schema as what it is. */
export function asZod<Output, Input>(schema: SchemaLike<Output, Input>): z.ZodType<Output, Input> {
  // Every zod schema is one of these, and we are handed nothing else (see `declaredSchema`).
  return schema as unknown as z.ZodType<Output, Input>
}
