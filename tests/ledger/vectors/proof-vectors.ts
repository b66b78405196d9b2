import { Binary } from 'mongodb'
import { signTreeHead } from '../../../src/ledger/log/checkpoint-text.js'
import { consistencyPath, inclusionPath } from '../../../src/ledger/log/merkle-proof.js'
import type { LeafRange } from '../../../src/ledger/log/merkle-tree.js'
import { MerkleFrontier } from '../../../src/ledger/log/merkle-tree.js'
import { testLogKeys } from '../support/test-keys.js'
import { unfitEntries } from '../support/unfit-entries.js'
import { anEntry, carried, checkpointOf, keys, nextEntry, origin, signer, storedBytesOf } from './parts.js'
import { contentOf, type Vector, type Verdict } from './vector.js'

const entries = Array.from({ length: 4 }).reduce<ReturnType<typeof anEntry>[]>(
  (before) => [...before, nextEntry(before.at(-1) ?? anEntry())],
  [anEntry()],
)
const stored = entries.map(storedBytesOf)
const leaves = stored.map(carried)
const head = (size: number) => checkpointOf(leaves.slice(0, size))

function rootOf({ begin, end }: LeafRange): string {
  const frontier = new MerkleFrontier()
  for (const leaf of leaves.slice(begin, end)) frontier.append(leaf)
  return frontier.root().toString('base64')
}

const inclusion = (leafIndex: number, size = leaves.length) => ({
  kind: 'inclusion',
  entry: stored[leafIndex]?.toString('base64') ?? '',
  leafIndex,
  hashes: inclusionPath(leafIndex, size).map(rootOf),
  checkpoint: head(size),
})
const consistency = (from: number, to: number) => ({
  kind: 'consistency',
  from: head(from),
  to: head(to),
  hashes: from === 0 || from === to ? [] : consistencyPath(from, to).map(rootOf),
})

const vector = (
  name: string,
  verdict: Verdict,
  proof: unknown,
  options: Partial<Pick<Vector, 'keys' | 'known'>> = {},
): Vector => ({
  name: `proof: ${name}`,
  proof: contentOf(typeof proof === 'string' || Buffer.isBuffer(proof) ? proof : JSON.stringify(proof)),
  keys: [keys.verifierKey],
  ...options,
  verdict,
})
const good = (name: string, proof: unknown) => vector(name, 'sound', proof)
const bad = (name: string, proof: unknown) => vector(name, 'damaged', proof)

const one = inclusion(2)
const text = JSON.stringify(one)
const from3 = consistency(3, 5)
const hash = Buffer.alloc(32).toString('base64')

/** The proof of an entry that is alone in its tree. */
const alone = (bytes: Buffer) => ({
  kind: 'inclusion',
  entry: bytes.toString('base64'),
  leafIndex: 0,
  hashes: [],
  checkpoint: checkpointOf([carried(bytes)]),
})
const foreign = testLogKeys('other.example/energy').verifierKey
const ofRoot = (size: number, rootHash: Buffer) => signTreeHead({ origin, size, rootHash }, [signer])

export const proofVectors: readonly Vector[] = [
  ...leaves.map((_, at) => good(`entry ${at} of 5`, inclusion(at))),
  good('the only entry', inclusion(0, 1)),
  good('white space between tokens', JSON.stringify(one, null, 2).replaceAll('\n', '\r\n')),
  good('white space before and behind it', `\r\n\t ${text} \t\r\n`),
  bad('a form feed behind it', `${text}\f`),
  bad('a space of Unicode between tokens', text.replace('"leafIndex":', '"leafIndex":\u00a0')),
  bad('a line feed in a note that is not escaped', text.replace('\\n', '\n')),
  good('an entry alone in its tree', alone(storedBytesOf(anEntry()))),
  bad(
    'a first entry that goes on from another',
    alone(storedBytesOf(anEntry({ previousHash: new Binary(Buffer.alloc(32, 9)) }))),
  ),
  ...unfitEntries(anEntry())
    .slice(0, 3)
    .map(({ name, bytes }) => bad(`${name}, with a hash and a tree that fit`, alone(bytes))),
  bad('a member twice', text.replace('"leafIndex":2', '"leafIndex":2,"leafIndex":2')),
  bad('a member more', { ...one, note: '' }),
  bad('a member less', { ...one, hashes: undefined }),
  bad('members in another order', Object.assign({ entry: one.entry }, one)),
  bad('a number with a fraction', text.replace('"leafIndex":2', '"leafIndex":2.0')),
  bad('a number with a leading zero', text.replace('"leafIndex":2', '"leafIndex":02')),
  bad('a negative number', text.replace('"leafIndex":2', '"leafIndex":-2')),
  bad('a number as a text', { ...one, leafIndex: '2' }),
  bad('an escape without need', text.replace('"inclusion"', '"\\u0069nclusion"')),
  bad('an escape without need in a note', text.replace(`"checkpoint":"${origin[0]}`, '"checkpoint":"\\u0076')),
  bad('something behind it', `${text}{}`),
  bad('a byte-order mark', Buffer.from(`\ufeff${text}`)),
  bad('invalid UTF-8', Buffer.concat([Buffer.from(text.slice(0, -2)), Buffer.of(0xff), Buffer.from('"}')])),
  bad('no object', '[]'),
  bad('nothing', ''),
  bad('another kind', { ...one, kind: 'membership' }),
  bad('another index', { ...one, leafIndex: 3 }),
  bad('an index behind the last one', { ...one, leafIndex: 7 }),
  bad('a hash less', { ...one, hashes: one.hashes.slice(1) }),
  bad('a hash more', { ...one, hashes: [...one.hashes, hash] }),
  bad('hashes in another order', { ...one, hashes: one.hashes.toReversed() }),
  bad('a hash of 31 bytes', { ...one, hashes: one.hashes.with(0, Buffer.alloc(31).toString('base64')) }),
  bad('65 hashes', { ...one, hashes: Array.from({ length: 65 }, () => hash) }),
  bad('another entry', { ...one, entry: inclusion(1).entry }),
  bad('an entry with a changed byte', { ...one, entry: stored[2]?.with(200, 1).toString() }),
  bad('another checkpoint', { ...one, checkpoint: head(4) }),
  bad('a checkpoint that is not signed', { ...one, checkpoint: one.checkpoint.replace(/.{6}\n$/, 'AAAAA=\n') }),
  ...[0, 1, 2, 3, 4, 5].map((size) => good(`from ${size} to 5`, consistency(size, 5))),
  good('from 0 to 0', consistency(0, 0)),
  good('white space in a proof of consistency', JSON.stringify(from3, null, '\t')),
  bad('from 5 to 3', { ...from3, from: from3.to, to: from3.from }),
  bad('from 0 with a hash', { ...consistency(0, 5), hashes: [hash] }),
  bad('from 5 to 5 with a hash', { ...consistency(5, 5), hashes: [hash] }),
  bad('no hashes', { ...from3, hashes: [] }),
  bad('a hash of consistency less', { ...from3, hashes: from3.hashes.slice(0, -1) }),
  bad('a tree that does not go on', { ...from3, from: checkpointOf([...leaves.slice(1, 4)]) }),
  bad('a member of the other kind', { ...from3, leafIndex: 0 }),
  bad('from no leaves with another root', { ...consistency(0, 5), from: ofRoot(0, Buffer.alloc(32)) }),
  bad('to no leaves with another root', { ...consistency(0, 0), to: ofRoot(0, Buffer.alloc(32)) }),
  vector('a checkpoint that is known, which says nothing of a proof', 'sound', one, { known: head(1) }),
  vector('what is no checkpoint, and says nothing of a proof', 'sound', one, { known: 'all is well' }),
  vector('no key', 'cannot tell', one, { keys: [] }),
  vector('what is no key', 'cannot tell', one, { keys: [keys.verifierKey, 'all is well'] }),
  vector('what is no key, and no proof', 'cannot tell', '[]', { keys: ['all is well'] }),
  vector('keys of two logs', 'cannot tell', one, { keys: [keys.verifierKey, foreign] }),
  vector('a key of another log', 'damaged', one, { keys: [foreign] }),
]
