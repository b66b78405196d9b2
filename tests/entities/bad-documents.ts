/** One way in which a document can be wrong. Each is written as a change of a good one. */
export interface BadDocument {
  readonly what: string
  /** Where the complaint has to point. */
  readonly path: string
  /** What is named where the server finds it, which knows of a rule only that it is broken. */
  readonly rulePath?: string
  /** Dotted paths with their values. */
  readonly set?: Readonly<Record<string, unknown>>
  readonly unset?: string
  /**
   * Who finds it: everybody; only those that see what is `stored` (defaults are filled in and conversions made on the way);
   * only the `library`, because the rule is JavaScript; or only what takes the `input`, where secrets are in clear.
   */
  readonly foundBy: 'all' | 'stored' | 'library' | 'input'
}

export interface Catalogue {
  /** What a good input is made of; stored documents are made of it by the library. */
  readonly good: () => Record<string, unknown>
  readonly bad: readonly BadDocument[]
}

const bad = (what: string, path: string, value: unknown, foundBy: BadDocument['foundBy'] = 'all'): BadDocument => ({
  what: `${what}: ${path}`,
  path,
  set: { [path]: value },
  foundBy,
})

export const wrongType = (path: string, value: unknown) => bad('wrong type', path, value)
export const outOfRange = (path: string, value: unknown) => bad(`out of range (${String(value)})`, path, value)
export const badFormat = (path: string, value: unknown) => bad('bad format', path, value)
export const tooLong = (path: string, length: number) => bad('too long', path, 'x'.repeat(length))
export const extra = (path: string) => bad('extra field', path, 1)
export const unfit = (path: string, value: unknown) => bad('refused by JavaScript', path, value, 'library')
export const badSecret = (path: string, value: unknown) => bad('bad secret', path, value, 'input')
export const unsealed = (path: string) => bad('unsealed secret', path, 'in the clear, for all to read', 'stored')
export const missing = (path: string): BadDocument => ({ what: `missing: ${path}`, path, unset: path, foundBy: 'all' })
/** A field that has a default: its absence is made good by the library, and refused by the server. */
export const missingWhenStored = (path: string): BadDocument => ({ ...missing(path), foundBy: 'stored' })
export const notFinite = (path: string) => [
  bad('NaN', path, Number.NaN),
  bad('infinite', path, Number.POSITIVE_INFINITY),
  bad('negative infinite', path, Number.NEGATIVE_INFINITY),
]
export const brokenRule = (
  what: string,
  path: string,
  change: Pick<BadDocument, 'set' | 'unset'>,
  rulePath = path,
): BadDocument => ({
  what: `rule across fields: ${what}`,
  path,
  rulePath,
  ...change,
  foundBy: 'all',
})

/** The fields that the library sets, which are there in every document that can change. */
export const managedFields: readonly BadDocument[] = [
  ...(['createdAt', 'updatedAt'] as const).map((path) => bad('wrong type', path, 'yesterday', 'stored')),
  bad('wrong type', '__v', 'one', 'stored'),
  bad('out of range', '__v', -1, 'stored'),
  ...['createdAt', 'updatedAt', '__v'].map(missingWhenStored),
  bad('wrong type', '_id', 'an id', 'stored'),
]

/** Of entities whose deletion only marks. */
export const deletionMark: readonly BadDocument[] = [
  bad('wrong type', 'deletedAt', 'yesterday', 'stored'),
  missingWhenStored('deletedAt'),
]

/** The document with the change made. */
export function spoil(document: Readonly<Record<string, unknown>>, { set = {}, unset }: BadDocument) {
  const copy = structuredCloneOf(document) as Record<string, unknown>
  for (const [path, value] of Object.entries(set)) holderOf(copy, path)[lastOf(path)] = value
  if (unset !== undefined) delete holderOf(copy, unset)[lastOf(unset)]
  return copy
}

/** A copy of plain objects and lists; ids, dates and the like are shared. */
function structuredCloneOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(structuredCloneOf)
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, structuredCloneOf(inner)]))
}

function holderOf(document: Record<string, unknown>, path: string): Record<string, unknown> {
  return path
    .split('.')
    .slice(0, -1)
    .reduce((holder, key) => holder[key] as Record<string, unknown>, document)
}

function lastOf(path: string): string {
  return path.split('.').at(-1) ?? ''
}
