import { Binary } from 'mongodb'
import { formatNote, SignerKey } from '../../../src/ledger/log/signed-note.js'
import { commitmentOf } from '../../../src/ledger/personal/commitment.js'
import {
  anEntry,
  carried,
  checkpointOf,
  fileOf,
  jsonLine,
  keys,
  origin,
  otherKeys,
  signed,
  storedBytesOf,
} from './parts.js'
import {
  bad,
  base,
  byNobody,
  checkpointText,
  digest,
  empty,
  entry1,
  entry2,
  good,
  headerLine,
  lastLine,
  note,
  one,
  personalOf,
  root,
  signature,
  signedText,
  sound,
  unknown,
  fileVector as vector,
  withCheckpoint,
  withLines,
} from './sample.js'
import type { Vector } from './vector.js'

const withHeader = (line: string) => withLines(line, entry1, entry2, lastLine)
const withExtra = (line: string) => withLines(headerLine, entry1, line, entry2, lastLine)

const text = '{"notes":"Ana said: “the projector”\\n🙂"}'
const personal = personalOf(text)
const { salt } = personal
const personalLine = jsonLine({ personal })
const committed = storedBytesOf(anEntry({ personalCommitment: new Binary(Buffer.from(personal.commitment, 'hex')) }))

/** A file whose first entry has personal data. */
function withPersonal(behind: string, before = ''): string {
  const { header, lines } = fileOf([committed])
  const [first = '', entry = '', last = ''] = lines
  return signed({ header, lines: [first, before, entry, behind, last] })
}

const byBoth = formatNote({
  text: checkpointText,
  signatures: [keys, otherKeys].map(({ signerKey }) => SignerKey.parse(signerKey).sign(checkpointText)),
})

/** Of two keys that are held one has signed it, and one has signed another text. */
const halfSigned = formatNote({
  text: checkpointText,
  signatures: [
    SignerKey.parse(keys.signerKey).sign(checkpointText),
    SignerKey.parse(otherKeys.signerKey).sign(`${checkpointText}more\n`),
  ],
})

const unended: readonly Vector[] = [
  bad('cut in the first line, behind the format', sound.slice(0, sound.indexOf('/1"') + 3)),
  vector('cut in the first line, before the format', 'cannot tell', [sound.slice(0, 5)]),
  bad('no format in the first line, and no line feed behind the digest', withHeader('{}\n').slice(0, -1)),
  vector('a known checkpoint of which the signature of one held key is wrong', 'cannot tell', [sound], {
    keys: [keys.verifierKey, otherKeys.verifierKey],
    known: halfSigned,
  }),
]

const lines: readonly Vector[] = [
  good('two entries and a checkpoint', sound),
  good('personal data of an entry', withPersonal(personalLine)),
  good('personal data before its entry', withPersonal('', personalLine)),
  good('personal data that no entry has committed to', withExtra(personalLine)),
  good('personal data twice', withPersonal(personalLine + personalLine)),
  good('personal data that is no JSON', withExtra(jsonLine({ personal: personalOf('{"notes":') }))),
  good('personal data of nothing', withExtra(jsonLine({ personal: personalOf('') }))),
  good(
    'a checkpoint of no leaves at the beginning',
    withLines(headerLine, jsonLine({ checkpoint: checkpointOf([]) }), entry1, entry2, lastLine),
  ),
  good('a checkpoint in the middle', withExtra(jsonLine({ checkpoint: checkpointOf([carried(one)]) }))),
  good('a checkpoint twice', withLines(...base.lines, lastLine)),
  good('a checkpoint twice, by two keys', withLines(...base.lines, jsonLine({ checkpoint: byBoth }))),
  bad('a member twice', withExtra(`{"entry":"","entry":${entry2.slice(9)}`)),
  bad('a member of the first line twice', withHeader(headerLine.replace('"size":2', '"size":2,"size":2'))),
  bad('another member in the first line', withHeader(headerLine.replace('"size":2', '"size":2,"note":""'))),
  bad(
    'the members of the first line in another order',
    withHeader(jsonLine({ header: Object.assign({ origin }, base.header) })),
  ),
  bad('a space between tokens', withHeader(headerLine.replace('"size":2', '"size": 2'))),
  bad('a number with a fraction', withHeader(headerLine.replace('"size":2', '"size":2.0'))),
  bad('a number with an exponent', withHeader(headerLine.replace('"size":2', '"size":2e0'))),
  bad('a number with a leading zero', withHeader(headerLine.replace('"size":2', '"size":02'))),
  bad('a negative zero', withHeader(headerLine.replace('"fromSize":0', '"fromSize":-0'))),
  bad('a number as a text', withHeader(headerLine.replace('"size":2', '"size":"2"'))),
  bad('a letter that is escaped without need', withHeader(headerLine.replace('energy', '\\u0065nergy'))),
  bad('a slash that is escaped without need', withHeader(headerLine.replace('/energy', '\\/energy'))),
  bad(
    'personal data with a character that is escaped without need',
    withExtra(personalLine.replace('projector', '\\u0070rojector')),
  ),
  bad('personal data with another member', withExtra(jsonLine({ personal: { ...personal, by: 'Ana' } }))),
  bad(
    'personal data in another order',
    withExtra(jsonLine({ personal: { text, salt, commitment: personal.commitment } })),
  ),
  bad('a salt in upper case', withExtra(personalLine.replace(salt, salt.toUpperCase()))),
  bad('a salt of 31 bytes', withExtra(jsonLine({ personal: { ...personal, salt: salt.slice(2) } }))),
  bad('a text that was not committed to', withExtra(personalLine.replace('projector', 'projectors'))),
  bad('a text that is an object', withExtra(jsonLine({ personal: { ...personal, text: {} } }))),
  bad('an entry that is no text', withExtra('{"entry":5}\n')),
  bad('an entry of nothing', withExtra('{"entry":""}\n')),
  bad(
    'base64 that is not canonical',
    withLines(
      headerLine,
      entry1,
      entry2.replace(/.(=*"}\n)$/, (_, end) => `/${end}`),
      lastLine,
    ),
  ),
  bad('base64 without padding', withLines(headerLine, entry1, entry2.replace(/=+"/, '"'), lastLine)),
  bad(
    'base64 of URLs',
    withLines(headerLine, entry1.replaceAll('+', '-').replaceAll('/', '_').replace('A', '-'), entry2, lastLine),
  ),
  bad('a line of no known kind', withExtra('{"comment":"all is well"}\n')),
  bad('a line with two members', withExtra(entry2.replace('}\n', ',"comment":""}\n'))),
  bad('an empty line', withExtra('\n')),
  bad('a first line twice', withExtra(headerLine)),
  bad('an origin that is no name', withHeader(headerLine.replace(origin, 'a b'))),
  bad('an origin of another log', withHeader(headerLine.replace(origin, `${origin}x`))),
  bad(
    'fewer leaves at the end than at the beginning',
    withHeader(jsonLine({ header: { ...base.header, size: 1, fromSize: 2 } })),
  ),
  bad('lines that end with CRLF', Buffer.from(sound.replaceAll('\n', '\r\n'))),
  bad('a line that ends with CRLF', withLines(headerLine, entry1.replace('\n', '\r\n'), entry2, lastLine)),
  bad('a byte-order mark', Buffer.from(`\ufeff${sound}`)),
  bad('a byte-order mark that is signed', withHeader(`\ufeff${headerLine}`)),
  bad('no line feed at the end', sound.slice(0, -1)),
  bad('a line feed too many', `${sound}\n`),
  bad(
    'invalid UTF-8',
    Buffer.concat([
      Buffer.from(headerLine),
      Buffer.from('{"personal":"\xc3\x28"}\n', 'latin1'),
      Buffer.from(sound.slice(headerLine.length)),
    ]),
  ),
  bad(
    'half a surrogate pair, of which the replacement was committed to',
    withExtra(
      jsonLine({
        personal: { ...personal, commitment: commitmentOf(Buffer.from(salt, 'hex'), '\ud83d'), text: '\ud83d' },
      }),
    ),
  ),
  bad(
    'half a surrogate pair',
    withExtra(`{"personal":{"commitment":"${personal.commitment}","salt":"${salt}","text":"\\ud83d"}}\n`),
  ),
]

const notes: readonly Vector[] = [
  good(
    'a further line of a checkpoint, with U+007F and U+0085',
    withCheckpoint(signedText(`${checkpointText}more \u007f \u0085\n`)),
  ),
  good('a signature line twice', withCheckpoint(note + signature)),
  good('100 signature lines', withCheckpoint(note + Array.from({ length: 99 }, (_, at) => unknown(at)).join(''))),
  good('a signature of a key that nobody knows', withCheckpoint(note + unknown(1))),
  good(
    'a signature of a key of another name',
    withCheckpoint(`${note}\u2014 witness.example/w ${Buffer.alloc(76, 7).toString('base64')}\n`),
  ),
  bad('101 signature lines', withCheckpoint(note + Array.from({ length: 100 }, (_, at) => unknown(at)).join(''))),
  bad('a signature of nothing', withCheckpoint(`${note}\u2014 ${origin} AAAAAA==\n`)),
  bad('a signature line with a hyphen', withCheckpoint(`${note}- ${origin} AAAAAAA=\n`)),
  bad('a signature line with two spaces', withCheckpoint(`${note}\u2014  ${origin} AAAAAAA=\n`)),
  bad('a signature line that is no base64', withCheckpoint(`${note}\u2014 ${origin} *\n`)),
  bad('a name with a space of Unicode', withCheckpoint(`${note}\u2014 a\u00a0b AAAAAAA=\n`)),
  bad('a name with a byte-order mark', withCheckpoint(`${note}\u2014 a\ufeffb AAAAAAA=\n`)),
  bad('a name with U+0085', withCheckpoint(`${note}\u2014 a\u0085b AAAAAAA=\n`)),
  bad('a name with a plus sign', withCheckpoint(`${note}\u2014 a+b AAAAAAA=\n`)),
  bad('a name of 201 characters', withCheckpoint(`${note}\u2014 ${'a'.repeat(201)} AAAAAAA=\n`)),
  good('a name of 200 characters beyond U+FFFF', withCheckpoint(`${note}\u2014 ${'🔌'.repeat(200)} AAAAAAA=\n`)),
  bad('a name of 201 characters beyond U+FFFF', withCheckpoint(`${note}\u2014 ${'🔌'.repeat(201)} AAAAAAA=\n`)),
  bad('a second signature of the key that is wrong', withCheckpoint(note + signature.replace(/.{6}\n$/, 'AAAAA=\n'))),
  bad('a control character', withCheckpoint(signedText(`${checkpointText}\u0001\n`))),
  bad('a tab', withCheckpoint(signedText(`${checkpointText}\t\n`))),
  bad('U+FFFD', withCheckpoint(signedText(`${checkpointText}\ufffd\n`))),
  bad('an empty line in a checkpoint', withCheckpoint(signedText(`${checkpointText}\nmore\n`))),
  bad('a size with a leading zero', withCheckpoint(signedText(`${origin}\n02\n${root}\n`))),
  bad('a size with a sign', withCheckpoint(signedText(`${origin}\n+2\n${root}\n`))),
  bad('another size', withCheckpoint(signedText(`${origin}\n3\n${root}\n`))),
  bad('a size of 2^53', withCheckpoint(signedText(`${origin}\n9007199254740992\n${root}\n`))),
  bad('another root', withCheckpoint(signedText(`${origin}\n2\n${Buffer.alloc(32).toString('base64')}\n`))),
  bad('a root of 31 bytes', withCheckpoint(signedText(`${origin}\n2\n${Buffer.alloc(31).toString('base64')}\n`))),
  bad('another origin', withCheckpoint(signedText(`${origin}x\n2\n${root}\n`))),
  bad('a checkpoint with CRLF', withCheckpoint(note.replaceAll('\n', '\r\n'))),
  bad('a checkpoint with a byte-order mark', withCheckpoint(`\ufeff${note}`)),
  bad('a checkpoint that another key has signed', withCheckpoint(byNobody)),
  bad('a checkpoint before its leaves', withExtra(lastLine)),
  bad('no checkpoint at the end', withLines(headerLine, entry1, entry2)),
  bad(
    'a checkpoint of fewer leaves at the end',
    withLines(headerLine, entry1, entry2, jsonLine({ checkpoint: checkpointOf([carried(one)]) })),
  ),
]

const bothKeys = [keys.signerKey, otherKeys.signerKey]
const twice = signed(base, bothKeys)
const inBoth = twice.slice(base.lines.join('').length)
const digestNote = (line: string) => (JSON.parse(line) as { digest: string }).digest
const withDigest = (changed: string) => `${base.lines.join('')}${jsonLine({ digest: changed })}`
const signaturesOf = (changed: string) => changed.split('\n\n')[1]?.split(/(?<=\n)/) ?? []
const [ownSignature = '', otherSignature = ''] = signaturesOf(digestNote(inBoth))
const bothText = digestNote(inBoth).split('\n\n')[0] ?? ''

const digests: readonly Vector[] = [
  good('two signatures, of which one can be checked', twice),
  vector('two signatures that can be checked', 'sound', [twice], { keys: [keys.verifierKey, otherKeys.verifierKey] }),
  vector('a file that a key has signed which is not held', 'damaged', [signed(base, [otherKeys.signerKey])]),
  bad('two signatures of one key', signed(base, [keys.signerKey, keys.signerKey])),
  bad(
    'two signatures of one key that is not held',
    signed(base, [keys.signerKey, otherKeys.signerKey, otherKeys.signerKey]),
  ),
  bad('one of two signatures taken away', withDigest(`${bothText}\n\n${ownSignature}`)),
  bad('two signatures in another order', withDigest(`${bothText}\n\n${otherSignature}${ownSignature}`)),
  bad('a signature added', withDigest(digestNote(digest) + unknown(1))),
  bad('a signature of another name added', withDigest(digestNote(digest) + unknown(1).replace(origin, 'a'))),
  bad('a signature that is wrong', withDigest(digestNote(digest).replace(/.{6}\n$/, 'AAAAA=\n'))),
  bad(
    'the digest of another file',
    base.lines.join('') +
      signed(fileOf([one]))
        .split(/(?<=\n)/)
        .at(-1),
  ),
  bad('a digest with a space', sound.replace('{"digest":"', '{"digest": "')),
  bad('a digest with an escape without need', sound.replace('{"digest":"a', '{"digest":"\\u0061')),
  bad('no digest', base.lines.join('')),
  bad('an entry behind the digest', sound + entry1),
  bad('a digest alone', digest),
]

const emptyHeader = { ...base.header, size: 0 }
const laterFormat = (file: string) => file.replaceAll('ledger-export/1', 'ledger-export/2')
const others: readonly Vector[] = [
  vector('nothing', 'cannot tell', ['']),
  vector('a line feed', 'cannot tell', ['\n']),
  vector('a text', 'cannot tell', ['all is well\n']),
  vector('an entry alone', 'cannot tell', [entry1]),
  vector('UTF-16', 'cannot tell', [Buffer.from(sound, 'utf16le')]),
  vector('a later format', 'cannot tell', [laterFormat(sound)]),
  vector('a file without entries', 'cannot tell', [empty]),
  vector('a file of size 0', 'cannot tell', [signed(fileOf([]))]),
  bad(
    'a file without entries, and without a checkpoint',
    signed({ ...base, header: emptyHeader, lines: [jsonLine({ header: emptyHeader })] }),
  ),
  bad('a damaged file without entries', empty.replace('"size":2', '"size":3')),
  bad('a later format in the first line alone', sound.replace('ledger-export/1', 'ledger-export/2')),
  bad('the first line alone', headerLine),
]

export const fileVectors: readonly Vector[] = [...lines, ...unended, ...notes, ...digests, ...others]
