import { createHash } from 'node:crypto'
import { formatNote, SignerKey } from '../../../src/ledger/log/signed-note.js'
import { testLogKeys } from '../support/test-keys.js'
import { jsonLine, keys, origin, otherKeys, signed } from './parts.js'
import { pointVectors } from './point-vectors.js'
import { base, checkpointText, fileVector, sound } from './sample.js'
import type { Vector, Verdict } from './vector.js'

const vector = (name: string, verdict: Verdict, held: readonly string[], file = sound): Vector => ({
  ...fileVector(name, verdict, [file], { keys: held }),
  name: `keys: ${name}`,
})
const [, id = '', encoded = ''] = keys.verifierKey.split('+')
const foreign = testLogKeys('other.example/energy').verifierKey

/** Two keys of one id, found by trying. */
const twins = [4710, 75_579].map((number) => {
  const seed = Buffer.alloc(32, 0x13)
  seed.writeUInt32BE(number)
  return testLogKeys(origin, seed)
})
const [twin, otherTwin] = twins as [(typeof twins)[0], (typeof twins)[0]]

/** The key of a witness: of type 4, with the id that it has then. */
function witnessKey(): string {
  const bytes = Buffer.concat([Buffer.of(4), Buffer.from(encoded, 'base64').subarray(1)])
  const hash = createHash('sha256').update(`${origin}\n`).update(bytes).digest('hex')
  return `${origin}+${hash.slice(0, 8)}+${bytes.toString('base64')}`
}

const byTwin = signed(
  {
    ...base,
    lines: base.lines.with(
      -1,
      jsonLine({
        checkpoint: formatNote({
          text: checkpointText,
          signatures: [SignerKey.parse(twin.signerKey).sign(checkpointText)],
        }),
      }),
    ),
  },
  [twin.signerKey],
)
const damaged = `${sound}\n`
const heldVectors: readonly Vector[] = [
  vector('a key with space around it', 'sound', [` ${keys.verifierKey}\r\n`]),
  vector('a key with all that counts as space around it', 'sound', [
    `\t\n\v\f\r \u00a0\u1680\u2000\u200a\u2028\u2029\u202f${keys.verifierKey}\u205f\u3000\ufeff`,
  ]),
  vector('a key with U+0085 behind it', 'cannot tell', [`${keys.verifierKey}\u0085`]),
  vector('a key with U+001C behind it', 'cannot tell', [`${keys.verifierKey}\u001c`]),
  vector('a key whose name has U+FFFD', 'cannot tell', [testLogKeys('vectors\ufffd.example').verifierKey]),
  vector('a key whose name has U+200B', 'damaged', [testLogKeys('vectors\u200b.example').verifierKey]),
  vector('a key with another id', 'cannot tell', [`${origin}+00000000+${encoded}`]),
  vector('a key with an id in upper case', 'cannot tell', [`${origin}+${id.toUpperCase()}+${encoded}`]),
  vector('a key of a witness', 'cannot tell', [witnessKey()]),
  vector('a key beside that of a witness', 'cannot tell', [keys.verifierKey, witnessKey()]),
  vector('a key without its last character', 'cannot tell', [keys.verifierKey.slice(0, -1)]),
  vector('no key', 'cannot tell', []),
  vector('no key, and a damaged file', 'cannot tell', [], damaged),
  vector('a key with another id, and a damaged file', 'cannot tell', [`${origin}+00000000+${encoded}`], damaged),
  vector('a key twice', 'sound', [keys.verifierKey, keys.verifierKey]),
  vector('two keys of the log', 'sound', [otherKeys.verifierKey, keys.verifierKey]),
  vector('keys of two logs', 'cannot tell', [keys.verifierKey, foreign]),
  vector('a key of another log', 'damaged', [foreign]),
  vector('one of two keys with one id', 'sound', [twin.verifierKey], byTwin),
  vector('two keys with one id', 'cannot tell', [twin.verifierKey, otherTwin.verifierKey], byTwin),
]

export const keyVectors: readonly Vector[] = [...heldVectors, ...pointVectors]
