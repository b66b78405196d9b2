/** Shows that an entry is in the ledger that a checkpoint was signed for. */
export interface InclusionProof {
  readonly kind: 'inclusion'
  /** The entry as MongoDB stores it (BSON), in base64. */
  readonly entry: string
  /** The place of the entry in the tree. */
  readonly leafIndex: number
  /** From the leaf upwards, in base64. */
  readonly hashes: readonly string[]
  /** The signed checkpoint. */
  readonly checkpoint: string
}

/** Shows that the ledger of one checkpoint begins with that of an earlier one: nothing was changed or taken away. */
export interface ConsistencyProof {
  readonly kind: 'consistency'
  readonly from: string
  readonly to: string
  readonly hashes: readonly string[]
}

/** A path through a tree of 2^53 leaves is shorter. */
const mostHashes = 64
/** Two notes, as long as they may be, and their escapes. */
const longestText = 4_100_000

const base64 = '"[A-Za-z0-9+/]*={0,2}"'
const note = '"[^"\\\\]*(?:\\\\["\\\\n][^"\\\\]*)*"'
const hashes = `\\[(?:${base64}(?:,${base64})*)?\\]`
const inclusionText = new RegExp(
  `^\\{"kind":"inclusion","entry":${base64},"leafIndex":(?:0|[1-9][0-9]{0,15}),"hashes":${hashes},"checkpoint":${note}\\}$`,
)
const consistencyText = new RegExp(`^\\{"kind":"consistency","from":${note},"to":${note},"hashes":${hashes}\\}$`)
/** A string, or the space between tokens. */
const stringOrSpace = /"[^"\\]*(?:\\.[^"\\]*)*"|[ \t\r\n]+/g

/** The proof in a text: JSON with its members once and in their order; undefined if it is none. */
function proofIn(text: string, form: RegExp): unknown {
  if (text.length > longestText) return undefined
  try {
    const tokens = text.replace(stringOrSpace, (token) => (token.startsWith('"') ? token : ''))
    // Nothing deeper than a list is ever parsed.
    return form.test(tokens) ? JSON.parse(tokens) : undefined
  } catch {
    // There is a control character in a string, or so many escapes that the pattern runs out of room.
    return undefined
  }
}

/** @returns the inclusion proof that somebody has sent, as far as its form goes; undefined if it is none. */
export function inclusionOf(given: InclusionProof | string): InclusionProof | undefined {
  const proof = typeof given === 'string' ? proofIn(given, inclusionText) : given
  const names = ['kind', 'entry', 'leafIndex', 'hashes', 'checkpoint'] as const
  return isProof<InclusionProof>(proof, 'inclusion', names, ['entry', 'checkpoint']) ? proof : undefined
}

/** @returns the consistency proof that somebody has sent, as far as its form goes; undefined if it is none. */
export function consistencyOf(given: ConsistencyProof | string): ConsistencyProof | undefined {
  const proof = typeof given === 'string' ? proofIn(given, consistencyText) : given
  const names = ['kind', 'from', 'to', 'hashes'] as const
  return isProof<ConsistencyProof>(proof, 'consistency', names, ['from', 'to']) ? proof : undefined
}

/** Whether it has these members and no others, these of them texts, and a list of hashes. */
function isProof<Proof extends InclusionProof | ConsistencyProof>(
  given: unknown,
  kind: Proof['kind'],
  names: readonly (keyof Proof & string)[],
  texts: readonly (keyof Proof & string)[],
): given is Proof {
  if (typeof given !== 'object' || given === null) return false
  const found = Object.keys(given)
  if (found.length !== names.length || !names.every((name) => Object.hasOwn(given, name))) return false
  const fields = given as Readonly<Record<string, unknown>>
  const { hashes } = fields
  const isOne = fields.kind === kind && Array.isArray(hashes) && hashes.length <= mostHashes && hashes.every(isText)
  return isOne && texts.every((name) => isText(fields[name]))
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}
