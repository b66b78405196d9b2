import { NoteError, parseNote } from './signed-note.js'
import { WitnessKey } from './witness-key.js'

/** Which witnesses have to have signed a checkpoint: who signs the log alone can show two histories, with them cannot. */
export interface WitnessPolicy {
  /** The verifier keys of the witnesses that count, `name+id+base64` (C2SP tlog-cosignature), each of another name. */
  readonly witnesses: readonly string[]
  /** So many of them have to have signed. */
  readonly quorum: number
  /** What a checkpoint is that lacks them: damage, or something that the report only says. @default 'caveat' */
  readonly otherwise?: 'caveat' | 'damage'
}

/** A policy whose keys are read. */
export class ParsedWitnessPolicy {
  readonly otherwise: 'caveat' | 'damage'
  readonly #witnesses: readonly WitnessKey[]
  readonly #quorum: number

  /** @throws NoteError for what is no key of a witness, two keys of one name, or a quorum that cannot be met. */
  constructor(policy: WitnessPolicy) {
    const { witnesses, quorum, otherwise = 'caveat' } = Object(policy) as WitnessPolicy
    if (!Array.isArray(witnesses) || !witnesses.every((key) => typeof key === 'string'))
      throw new NoteError('the witnesses of a policy are a list of verifier keys')
    if (otherwise !== 'caveat' && otherwise !== 'damage')
      throw new NoteError('`otherwise` of a policy is `caveat` or `damage`')
    this.#witnesses = witnesses.map((key) => WitnessKey.parse(key))
    this.#quorum = quorum
    this.otherwise = otherwise
    if (new Set(this.#witnesses.map(({ name }) => name)).size !== witnesses.length)
      throw new NoteError('the witnesses of a policy have a name each')
    if (!Number.isInteger(quorum) || quorum < 1 || quorum > witnesses.length)
      throw new NoteError(`the quorum of ${witnesses.length} witnesses is from 1 to ${witnesses.length}`)
  }

  /** What it asks for, in words. */
  toString(): string {
    return `signatures of ${this.#quorum} of the witnesses ${this.#witnesses.map(({ name }) => name).join(', ')}`
  }

  /**
   * @param checkpoint The signed note; undefined if there is none.
   * @returns who has signed, in words, where that is too few; undefined where it is enough.
   * @throws NoteError if it is no signed note.
   */
  lackIn(checkpoint: string | undefined): string | undefined {
    const { text, signatures } = checkpoint === undefined ? { text: '', signatures: [] } : parseNote(checkpoint)
    const signers = this.#witnesses.filter((key) => signatures.some((signature) => key.verifies(text, signature)))
    if (signers.length >= this.#quorum) return undefined
    return signers.length === 0 ? 'none of them' : signers.map(({ name }) => name).join(', ')
  }
}
