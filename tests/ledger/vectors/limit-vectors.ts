import { jsonLine } from './parts.js'
import { proofVectors } from './proof-vectors.js'
import {
  checkpointText,
  entry1,
  entry2,
  fileVector,
  headerLine,
  lastLine,
  personalOf,
  signedText,
  sound,
  withCheckpoint,
  withLines,
} from './sample.js'
import { bytesOf, contentOf, type Vector } from './vector.js'

// Of the lengths that are allowed: too long to be published beside the others.

const [longestLine, longestNoteLine, longestNote, longestProof] = [4_194_304, 2_000_100, 1_000_000, 4_100_000]

/** A file with a line of personal data of so many bytes. */
function personalOfBytes(bytes: number): string {
  const lineOf = (length: number) => jsonLine({ personal: personalOf('x'.repeat(length)) })
  return withLines(headerLine, entry1, lineOf(bytes - lineOf(0).length), entry2, lastLine)
}

const noteWith = (more: string) => signedText(`${checkpointText}${more}\n`)
const rest = noteWith('').length

/** A file whose checkpoint has a line of so many bytes. */
function checkpointOfBytes(bytes: number): string {
  const lineOf = (more: string) => Buffer.byteLength(jsonLine({ checkpoint: noteWith(more) }))
  const left = bytes - lineOf('')
  return withCheckpoint(noteWith('€'.repeat(Math.floor(left / 3)) + 'x'.repeat(left % 3)))
}

/** A file whose first line names the format as its last thing within so many bytes. */
const namedWithin = (bytes: number) => `${'x'.repeat(bytes - 26)}"autovolt-ledger-export/1"\n`
const proof = bytesOf(proofVectors[0]?.proof ?? { text: '' }).toString()
const proofVector = (name: string, verdict: Vector['verdict'], length: number): Vector => ({
  ...(proofVectors[0] as Vector),
  name,
  proof: contentOf(proof.padEnd(length)),
  verdict,
})

export const limitVectors: readonly Vector[] = [
  fileVector('the longest line', 'sound', [personalOfBytes(longestLine)]),
  fileVector('a line that is too long', 'damaged', [personalOfBytes(longestLine + 1)]),
  fileVector('the longest line of a checkpoint', 'sound', [checkpointOfBytes(longestNoteLine)]),
  fileVector('a line of a checkpoint that is too long', 'damaged', [checkpointOfBytes(longestNoteLine + 1)]),
  fileVector('the longest note', 'sound', [withCheckpoint(noteWith('x'.repeat(longestNote - rest)))]),
  fileVector('a note that is too long', 'damaged', [withCheckpoint(noteWith('x'.repeat(longestNote - rest + 1)))]),
  fileVector('the longest note, of characters that count twice', 'sound', [
    withCheckpoint(noteWith('🔌'.repeat((longestNote - rest) / 2).padEnd(longestNote - rest, 'x'))),
  ]),
  fileVector('a note of characters that count twice that is too long', 'damaged', [
    withCheckpoint(noteWith('🔌'.repeat((longestNote - rest) / 2).padEnd(longestNote - rest + 1, 'x'))),
  ]),
  fileVector('a first line that names the format where it may', 'damaged', [namedWithin(longestLine)]),
  fileVector('a first line that names the format too late', 'cannot tell', [namedWithin(longestLine + 1)]),
  fileVector('a first line of a sound file that is too long', 'damaged', [
    sound.replace('{', `{${' '.repeat(longestLine)}`),
  ]),
  proofVector('proof: the longest one', 'sound', longestProof),
  proofVector('proof: one that is too long', 'damaged', longestProof + 1),
]
