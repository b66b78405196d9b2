import { ObjectId } from 'mongodb'
import { MerkleFrontier } from '../../../src/ledger/log/merkle-tree.js'
import { formatNote, parseNote } from '../../../src/ledger/log/signed-note.js'
import { commitmentOf } from '../../../src/ledger/personal/commitment.js'
import {
  anEntry,
  carried,
  checkpointOf,
  fileOf,
  jsonLine,
  keys,
  nextEntry,
  origin,
  signed,
  signer,
  storedBytesOf,
} from './parts.js'
import { contentOf, type Vector, type Verdict } from './vector.js'

// A ledger of four entries, and files of it, that vectors are made of.

export const second = nextEntry(anEntry())
const elsewhere = ObjectId.createFromHexString('2'.repeat(24))
export const one = storedBytesOf(anEntry())
export const two = storedBytesOf(second)
export const three = storedBytesOf(nextEntry(second))
/** The first one of another chain. */
export const other = storedBytesOf(anEntry({ switchId: elsewhere, idempotencyKey: 'another' }))

/** A file of the first two entries. */
export const base = fileOf([one, two])
export const [headerLine, entry1, entry2, lastLine] = base.lines as [string, string, string, string]
export const sound = signed(base)
export const digest = sound.slice(base.lines.join('').length)
export const note = (JSON.parse(lastLine) as { checkpoint: string }).checkpoint
export const checkpointText = parseNote(note).text
export const root = checkpointText.split('\n')[2] ?? ''
export const signature = note.slice(checkpointText.length + 1)

/** The tree of these entries, which a later file goes on from. */
export function after(...entries: readonly Buffer[]): MerkleFrontier {
  const frontier = new MerkleFrontier()
  for (const entry of entries) frontier.append(carried(entry))
  return frontier
}

/** A file of the other two entries, and one of none in between. */
export const rest = signed(fileOf([three, other], after(one, two)))
export const empty = signed(fileOf([], after(one, two)))

const salt = '5a'.repeat(32)

/** Personal data as a line has it. */
export function personalOf(text: string) {
  return { commitment: commitmentOf(Buffer.from(salt, 'hex'), text), salt, text }
}

/** A text as the log signs it. */
export function signedText(changed: string): string {
  return formatNote({ text: changed, signatures: [signer.sign(changed)] })
}

/** A signature line of a key that nobody holds. */
export const unknown = (id: number) => `\u2014 ${origin} ${Buffer.from([id, 0, 0, 0, 1]).toString('base64')}\n`

/** The note with the signature of a key that nobody holds alone. */
export const byNobody = note.replace(/\u2014 (\S+) \S+\n$/u, unknown(1))

/** The checkpoint of so many of the four entries. */
export const known = (size: number) => checkpointOf([one, two, three, other].slice(0, size).map(carried))

type Options = Partial<Pick<Vector, 'keys' | 'known'>>

export function fileVector(
  name: string,
  verdict: Verdict,
  files: readonly (string | Buffer)[],
  options: Options = {},
): Vector {
  return { name: `file: ${name}`, files: files.map(contentOf), keys: [keys.verifierKey], ...options, verdict }
}

export const bad = (name: string, file: string | Buffer) => fileVector(name, 'damaged', [file])
export const good = (name: string, file: string | Buffer) => fileVector(name, 'sound', [file])
export const withLines = (...lines: readonly string[]) => signed({ ...base, lines })
export const withCheckpoint = (changed: string) =>
  withLines(headerLine, entry1, entry2, jsonLine({ checkpoint: changed }))
