import { Binary, ObjectId } from 'mongodb'
import { anEntry, carried, checkpointOf, fileOf, jsonLine, nextEntry, origin, signed, storedBytesOf } from './parts.js'
import {
  after,
  bad,
  base,
  byNobody,
  empty,
  good,
  headerLine,
  known,
  one,
  other,
  rest,
  root,
  second,
  signedText,
  sound,
  three,
  two,
  fileVector as vector,
} from './sample.js'
import type { Vector } from './vector.js'

const id = (digit: string) => ObjectId.createFromHexString(digit.repeat(24))
const foreign = storedBytesOf(nextEntry(second, { previousHash: new Binary(Buffer.alloc(32, 9)) }))
const late = storedBytesOf(anEntry({ switchId: id('2'), previousHash: new Binary(Buffer.alloc(32, 9)) }))
const restWithout = signed(fileOf([other], after(one, two)))
/** An entry of a chain that nobody has seen the beginning of. */
const strange = storedBytesOf(
  anEntry({ switchId: id('3'), sequence: 7, flags: [], previousHash: new Binary(Buffer.alloc(32, 9)) }),
)
const later = fileOf([three, other], after(one, two))
const withFirstCheckpoint = signed({ ...later, lines: later.lines.toSpliced(1, 0, jsonLine({ checkpoint: known(2) })) })

const chains: readonly Vector[] = [
  bad('a chain that begins with its second entry', signed(fileOf([two]))),
  bad('a chain with a hole', signed(fileOf([one, three]))),
  bad('a chain in another order', signed(fileOf([two, one]))),
  bad('an entry twice', signed(fileOf([one, one]))),
  bad('an entry that goes on from another', signed(fileOf([one, two, foreign]))),
  good('two chains', signed(fileOf([one, other, two]))),
  good('a file of a later part, in which a chain begins anywhere', rest),
  good('a file of a later part, with a checkpoint of the leaves before it', withFirstCheckpoint),
  bad(
    'a file of a later part, in which a first entry goes on from another',
    signed(fileOf([three, late], after(one, two))),
  ),
  bad(
    'a frontier with a root too many',
    signed({ ...base, lines: base.lines.with(0, headerLine.replace('"frontier":[]', `"frontier":["${root}"]`)) }),
  ),
  bad(
    'a frontier with another root',
    signed({
      ...fileOf([three], after(one, two)),
      lines: fileOf([three], after(two, one)).lines.with(-1, fileOf([three], after(one, two)).lines.at(-1) ?? ''),
    }),
  ),
  vector('two files that follow each other', 'sound', [sound, rest]),
  vector('two files of which the second lacks nothing that it has to have', 'sound', [sound, restWithout]),
  vector('two files of which the second goes on from another tree', 'damaged', [
    sound,
    signed(fileOf([three], after(two, one))),
  ]),
  vector('two files with a hole between them', 'damaged', [signed(fileOf([one])), rest]),
  vector('two files in which a chain does not go on', 'damaged', [sound, signed(fileOf([foreign], after(one, two)))]),
  vector('the same file twice', 'damaged', [sound, sound]),
]

const noEntries = signed(fileOf([]))
const rootless = signedText(`${origin}\n0\n${root}\n`)
const afterAll = after(one, two, three, other)
const damaged = sound.replace('"size":2', '"size":3')
const several: readonly Vector[] = [
  vector('two files in the other order', 'sound', [rest, sound]),
  vector('a file without entries behind another', 'sound', [sound, empty]),
  vector('a file without entries between two others, in another order', 'sound', [rest, empty, sound]),
  vector('two files without entries', 'cannot tell', [noEntries, noEntries]),
  vector('a damaged file, and one without entries', 'damaged', [damaged, empty]),
  vector('a file, and one that is none', 'cannot tell', [sound, 'all is well\n']),
  vector('a damaged file, and one that is none', 'cannot tell', [damaged, 'all is well\n']),
  vector('no file', 'cannot tell', []),
  vector('two files of later parts, in the second of which a chain begins anywhere', 'sound', [
    rest,
    signed(fileOf([strange], afterAll)),
  ]),
  vector('two files, in the second of which a chain does not begin', 'damaged', [
    sound,
    signed(fileOf([strange], after(one, two))),
  ]),
  vector('two files with the same entries again, in another tree', 'damaged', [sound, signed(fileOf([one, three]))]),
]

const severalKnown = [sound, rest]
const knowns: readonly Vector[] = [
  vector('the checkpoint that is known is the last one', 'sound', [sound], { known: known(2) }),
  vector('the checkpoint that is known is of fewer leaves', 'sound', [sound], { known: known(1) }),
  vector('the checkpoint that is known is of no leaves', 'sound', [sound], { known: known(0) }),
  vector('the checkpoint that is known is of more leaves', 'damaged', [sound], { known: known(3) }),
  vector('the checkpoint that is known is of other leaves', 'damaged', [sound], {
    known: checkpointOf([carried(two)]),
  }),
  vector('the checkpoint that is known is of leaves before the file', 'sound', [rest], { known: known(1) }),
  vector('the checkpoint that is known is where the file begins', 'sound', [rest], { known: known(2) }),
  vector('the checkpoint that is known is where the file begins, with another root', 'damaged', [rest], {
    known: checkpointOf([carried(two), carried(one)]),
  }),
  vector('the checkpoint that is known is not signed by the key', 'cannot tell', [sound], {
    known: byNobody,
  }),
  vector('the checkpoint that is known is of the first of two files', 'sound', severalKnown, { known: known(1) }),
  vector('the checkpoint that is known is between two files', 'sound', severalKnown, { known: known(2) }),
  vector('the checkpoint that is known is of the second of two files', 'sound', severalKnown, { known: known(3) }),
  vector('the checkpoint that is known is the last one of two files', 'sound', severalKnown, { known: known(4) }),
  vector(
    'the checkpoint that is known is of more leaves than two files',
    'damaged',
    [sound, signed(fileOf([three], after(one, two)))],
    {
      known: known(4),
    },
  ),
  vector('the checkpoint that is known is of other leaves than two files', 'damaged', severalKnown, {
    known: checkpointOf([one, two, other].map(carried)),
  }),
  vector(
    'the checkpoint that is known is of leaves before two files',
    'sound',
    [rest, signed(fileOf([strange], afterAll))],
    {
      known: known(1),
    },
  ),
  vector('the checkpoint that is known is of no leaves, with another root', 'damaged', [sound], { known: rootless }),
  vector('the checkpoint that is known is of no leaves, with another root, and is not compared', 'sound', [rest], {
    known: rootless,
  }),
  vector('the checkpoint that is known is of another log', 'cannot tell', [sound], {
    known: known(2).replaceAll(origin, 'other.example'),
  }),
  vector('the checkpoint that is known is none, of a damaged file', 'cannot tell', [damaged], { known: byNobody }),
  vector('the checkpoint that is known is sound, of a damaged file', 'damaged', [damaged], { known: known(1) }),
  vector('the checkpoint that is known is sound, of no file', 'cannot tell', [], { known: known(1) }),
  vector('the checkpoint that is known has CRLF', 'cannot tell', [sound], { known: known(2).replaceAll('\n', '\r\n') }),
]

export const chainVectors: readonly Vector[] = [...chains, ...several, ...knowns]
