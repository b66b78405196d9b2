import { NoteError, VerifierKey } from './signed-note.js'

/**
 * The keys that a verifier holds: those of one log, which a verdict is about.
 * @param given `name+id+base64` each; the same one may be there twice.
 * @throws NoteError for what is no key, for none, for keys of two logs, and for two keys of one id, which no signature tells apart.
 */
export function parseHeldKeys(given: unknown): VerifierKey[] {
  if (!Array.isArray(given)) throw new NoteError('verifier keys are a list of texts')
  const keys = new Map(given.map((text) => VerifierKey.parse(text)).map((key) => [key.text, key]))
  const held = [...keys.values()]
  if (new Set(held.map(({ name }) => name)).size !== 1)
    throw new NoteError('the verifier keys are those of one log, at least one')
  if (new Set(held.map(({ keyId }) => keyId)).size !== held.length)
    throw new NoteError('two verifier keys have the same id, and cannot be told apart')
  return held
}
