import { createHash } from 'node:crypto'
import { ObjectId } from 'mongodb'
import type { LedgerEntry } from '../../../src/ledger/entry/entry.js'
import { entryTypes } from '../../../src/ledger/entry/entry-limits.js'
import { MerkleFrontier } from '../../../src/ledger/log/merkle-tree.js'
import { formatNote } from '../../../src/ledger/log/signed-note.js'
import { commitmentOf } from '../../../src/ledger/personal/commitment.js'
import { Chance, mutatedBytes } from './chance.js'
import { entryVectors } from './entry-vectors.js'
import {
  anEntry,
  carried,
  checkpointOf,
  fileOf,
  jsonLine,
  keys,
  nextEntry,
  otherKeys,
  signed,
  signer,
  storedBytesOf,
} from './parts.js'
import { proofVectors } from './proof-vectors.js'
import { bytesOf, contentOf, type Vector } from './vector.js'

type Mutation = (chance: Chance) => Partial<Pick<Vector, 'files' | 'proof' | 'known' | 'keys'>>

/** Entries of every kind, as they are stored. */
const someEntries = entryVectors
  .filter(({ verdict }) => verdict === 'sound')
  .map(({ files }) => {
    const line =
      bytesOf(files?.[0] ?? { text: '' })
        .toString()
        .split('\n')[1] ?? ''
    return Buffer.from((JSON.parse(line) as { entry: string }).entry, 'base64')
  })

const salt = '5a'.repeat(32)
const personal = { commitment: commitmentOf(Buffer.from(salt, 'hex'), '{"notes":"é"}'), salt, text: '{"notes":"é"}' }
const another = ObjectId.createFromHexString('3'.repeat(24))

function chain(length: number): LedgerEntry[] {
  const entries = [anEntry()]
  while (entries.length < length) entries.push(nextEntry(entries.at(-1) ?? anEntry()))
  return entries
}

const stored = [...chain(3), anEntry({ switchId: another, idempotencyKey: 'x' })].map(storedBytesOf)
const base = fileOf(stored)
const withPersonal = {
  ...base,
  lines: base.lines.toSpliced(
    2,
    0,
    jsonLine({ personal }),
    jsonLine({ checkpoint: checkpointOf([carried(stored[0] as Buffer)]) }),
  ),
}

/** With a hash that fits, where there is room for one. */
function resealed(bytes: Buffer): Buffer {
  if (bytes.length < 60) return bytes
  const changed = Buffer.from(bytes)
  changed.writeInt32LE(changed.length, 0)
  const body = Buffer.concat([changed.subarray(0, -44), Buffer.of(0)])
  body.writeInt32LE(body.length, 0)
  createHash('sha256')
    .update('\x00autovolt-ledger-entry\n', 'latin1')
    .update(body)
    .digest()
    .copy(changed, changed.length - 33)
  return changed
}

/** The entry with one of its strings, doubles or dates replaced in the bytes. */
function withOtherDouble(bytes: Buffer, chance: Chance): Buffer {
  const changed = Buffer.from(bytes)
  const at = changed.indexOf(
    chance.one([
      'powerRating\0',
      'gapLimitMs\0',
      'ratePerKwh\0',
      'cumulativeEnergy\0',
      'powerW\0',
      'sequence\0',
      'timestamp\0',
      'deviceSequence\0',
    ]),
  )
  if (at < 0) return changed
  const value = chance.one([
    0,
    -0,
    1,
    1.5,
    -1,
    999,
    1e6,
    1e6 + 1e-9,
    1e9,
    1e9 + 1,
    8e12,
    8.000_000_000_001e12,
    2 ** 53,
    2 ** 53 - 1,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    5e-324,
    -1e300,
  ])
  changed.writeDoubleLE(value, changed.indexOf(0, at) + 1)
  return changed
}

const mutations: Readonly<Record<string, Mutation>> = {
  'a line': (chance) => {
    const at = chance.below(withPersonal.lines.length)
    const line = mutatedBytes(Buffer.from(withPersonal.lines[at] ?? ''), chance).toString('latin1')
    const lines = withPersonal.lines.map((one, n) => (n === at ? line : Buffer.from(one).toString('latin1')))
    return { files: [contentOf(signedBytes(lines))] }
  },
  'the order of lines': (chance) => {
    const at = chance.below(withPersonal.lines.length)
    const line = withPersonal.lines[at] ?? ''
    const without = withPersonal.lines.toSpliced(at, chance.below(2))
    return { files: [contentOf(signed({ ...base, lines: without.toSpliced(chance.below(without.length), 0, line) }))] }
  },
  'the bytes of an entry': (chance) => {
    const entry = resealed(mutatedBytes(chance.one(someEntries), chance))
    return { files: [contentOf(signed(fileOf([entry])))] }
  },
  'a value of an entry': (chance) => {
    const entry = resealed(withOtherDouble(chance.one(someEntries), chance))
    return { files: [contentOf(signed(fileOf([entry])))] }
  },
  'two entries, mixed': (chance) => {
    const [one, other] = [chance.one(someEntries), chance.one(someEntries)]
    const [at, from] = [chance.below(one.length), chance.below(other.length)]
    const type = Buffer.from(`${chance.one(entryTypes)}\0`)
    const middle = chance.below(2) === 0 ? other.subarray(from, from + 40) : type
    const entry = resealed(
      Buffer.concat([one.subarray(0, at), middle, one.subarray(Math.min(one.length, at + middle.length))]),
    )
    return { files: [contentOf(signed(fileOf([entry])))] }
  },
  'the text of a checkpoint': (chance) => {
    const head = checkpointOf(stored.map(carried))
    const [text = ''] = head.split('\n\n')
    const changed = mutatedBytes(Buffer.from(`${text}\n`), chance).toString('utf8')
    const note = formatNote({ text: changed, signatures: [signer.sign(changed)] })
    return { files: [contentOf(signed({ ...base, lines: base.lines.with(-1, jsonLine({ checkpoint: note })) }))] }
  },
  'a signature': (chance) => {
    const note = mutatedBytes(Buffer.from(checkpointOf(stored.map(carried))), chance).toString('utf8')
    const lines = base.lines.with(-1, jsonLine({ checkpoint: note }))
    return { files: [contentOf(signed({ ...base, lines }))] }
  },
  'the digest': (chance) => {
    const file = Buffer.from(signed(base, chance.below(2) === 0 ? undefined : [keys.signerKey, otherKeys.signerKey]))
    const start = base.lines.join('').length
    return { files: [contentOf(Buffer.concat([file.subarray(0, start), mutatedBytes(file.subarray(start), chance)]))] }
  },
  'the file': (chance) => ({ files: [contentOf(mutatedBytes(Buffer.from(signed(base)), chance))] }),
  'where a file begins': (chance) => {
    const frontier = new MerkleFrontier()
    for (const entry of stored.slice(0, chance.below(4))) frontier.append(carried(entry))
    const rest = stored.slice(chance.below(4))
    const one = rest.with(0, resealed(withPrevious(rest[0] as Buffer, chance)))
    const first = signed(fileOf(stored.slice(0, chance.below(4) + 1)))
    const second = signed(fileOf(one, frontier))
    return { files: (chance.below(2) === 0 ? [second] : [first, second]).map(contentOf) }
  },
  'what is known': (chance) => {
    const known = checkpointOf(stored.slice(0, chance.below(5)).map(carried))
    const changed = chance.below(3) === 0 ? mutatedBytes(Buffer.from(known), chance).toString('utf8') : known
    return { files: [contentOf(signed(fileOf(stored.slice(0, 1 + chance.below(4)))))], known: changed }
  },
  'several files': (chance) => {
    const cuts = [0, chance.below(5), chance.below(5), 4].sort((a, b) => a - b)
    const parts = cuts.slice(1).map((end, at) => partOf(cuts[at] ?? 0, end))
    const files = Array.from({ length: chance.below(4) }, () => chance.one(parts))
    const changed = chance.below(3) === 0 ? files.map((file) => mutatedBytes(file, chance)) : parts
    const inOrder = changed.length > 1 && chance.below(2) === 0 ? changed.toReversed() : changed
    const known = chance.below(2) === 0 ? {} : { known: checkpointOf(stored.slice(0, chance.below(5)).map(carried)) }
    return { files: inOrder.map(contentOf), ...known }
  },
  'the keys that are held': (chance) => {
    const held = Array.from({ length: 1 + chance.below(2) }, () => chance.one([keys, otherKeys]).verifierKey)
    const changed = held.map((key) =>
      chance.below(3) === 0 ? mutatedBytes(Buffer.from(key), chance).toString('utf8') : key,
    )
    const { proof = { text: '' } } = chance.one(proofVectors)
    return { keys: changed, ...(chance.below(3) === 0 ? { proof } : { files: [contentOf(signed(base))] }) }
  },
  'a proof': (chance) => {
    const { proof = { text: '' } } = chance.one(proofVectors)
    return { proof: contentOf(mutatedBytes(bytesOf(proof), chance)) }
  },
}

/** A file of some of the entries. */
function partOf(begin: number, end: number): Buffer {
  const frontier = new MerkleFrontier()
  for (const entry of stored.slice(0, begin)) frontier.append(carried(entry))
  return Buffer.from(signed(fileOf(stored.slice(begin, end), frontier)))
}

function withPrevious(bytes: Buffer, chance: Chance): Buffer {
  if (chance.below(2) === 0) return bytes
  const changed = Buffer.from(bytes)
  Buffer.alloc(32, chance.below(2)).copy(changed, changed.length - 44 - 33)
  return changed
}

/** Lines of any bytes, which are given as latin1, and a digest that fits. */
function signedBytes(lines: readonly string[]): Buffer {
  const bytes = Buffer.from(lines.join(''), 'latin1')
  const digest = createHash('sha256').update(bytes).digest()
  return Buffer.concat([bytes, Buffer.from(digestOf(digest))])
}

function digestOf(sha256: Buffer): string {
  const { origin, fromSize, size } = base.header
  const text = `autovolt-ledger-export/1\n${origin}\n${fromSize} ${size}\n${sha256.toString('base64')}\n`
  return jsonLine({ digest: formatNote({ text, signatures: [signer.sign(text)] }) })
}

/** Files and proofs that somebody has changed who has the key: each of them is signed again where that can be. */
export function* mutants(seed: number, count: number): Generator<Vector> {
  const chance = new Chance(seed)
  const kinds = Object.entries(mutations)
  for (let number = 0; number < count; number += 1) {
    const [kind, mutate] = chance.one(kinds)
    yield {
      name: `mutant ${number} of seed ${seed}: ${kind}`,
      keys: [keys.verifierKey],
      ...mutate(chance),
      verdict: 'damaged',
    }
  }
}
