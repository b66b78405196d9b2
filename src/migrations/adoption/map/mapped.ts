import type { Document } from 'mongodb'
import { compiled } from '../../../core/compiled-schema.js'
import type { SchemaLike } from '../../../core/schema-like.js'
import { issuesOf } from '../../../core/validate.js'

/** What becomes of a document of the origin: `left`, it was not adopted; `noted`, it was, but something of it was not. */
export type FindingKind = 'left' | 'noted'

/** Conflict: what a document of the origin has that another one of ours has already, and no two of ours may share. */
export interface Conflict {
  readonly fields: readonly string[]
  /** The id of the other one, here. */
  readonly existingId: string
}

/** Something about a document of the origin that somebody should know. */
export interface Finding {
  readonly kind: FindingKind
  /** The collection of the origin. */
  readonly collection: string
  readonly document: Document
  /** Without any value of a secret. */
  readonly reason: string
  readonly conflict?: Conflict
}

/** Mapped: what some documents of the origin become. */
export interface Mapped<Input> {
  readonly inputs: readonly { readonly input: Input; readonly document: Document }[]
  readonly findings: readonly Finding[]
}

/** Collects what a collection of the origin becomes. */
export class Mapping<Input extends object> implements Mapped<Input> {
  readonly inputs: { readonly input: Input; readonly document: Document }[] = []
  readonly findings: Finding[] = []
  readonly #collection: string
  readonly #schema: SchemaLike<Input, Input>

  /** @param schema What an input has to fit. */
  constructor(collection: string, schema: SchemaLike<Input, Input>) {
    this.#collection = collection
    this.#schema = schema
  }

  /** Takes the input if it fits the schema, else leaves its document. */
  add(document: Document, input: Input): boolean {
    const parsed = compiled(this.#schema).safeParse(input)
    if (parsed.success) {
      this.inputs.push({ input, document })
      return true
    }
    this.leave(
      document,
      issuesOf(parsed.error, input)
        .slice(0, 5)
        .map(({ path, message }) => `${path}: ${message}`)
        .join('; '),
    )
    return false
  }

  leave(document: Document, reason: string): void {
    this.findings.push({ kind: 'left', collection: this.#collection, document, reason })
  }

  note(document: Document, reason: string): void {
    this.findings.push({ kind: 'noted', collection: this.#collection, document, reason })
  }
}
