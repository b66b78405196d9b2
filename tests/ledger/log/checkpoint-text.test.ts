import { describe, expect, it } from 'vitest'
import {
  formatTreeHead,
  openCheckpoint,
  parseTreeHead,
  signTreeHead,
  UntrustedCheckpointError,
} from '../../../src/ledger/log/checkpoint-text.js'
import { formatNote, NoteError, parseNote, SignerKey } from '../../../src/ledger/log/signed-note.js'
import { testLogKeys } from '../support/test-keys.js'

// The example of the specification, https://c2sp.org/tlog-checkpoint.
const sofa = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n'
const origin = 'school.example/energy'
const root = Buffer.alloc(32, 5)
const signerOf = (seed: number, name = origin) => SignerKey.parse(testLogKeys(name, Buffer.alloc(32, seed)).signerKey)
const [oldKey, newKey] = [signerOf(1), signerOf(2)]
const head = { origin, size: 42, rootHash: root }

describe('the text of a checkpoint', () => {
  it('of the specification is read and written', () => {
    const { origin: name, size, rootHash } = parseTreeHead(sofa)
    expect({ name, size }).toEqual({ name: 'example.com/behind-the-sofa', size: 20_852_163 })
    expect(formatTreeHead({ origin: name, size, rootHash })).toBe(sofa)
  })

  it('may go on with lines that say nothing here', () => {
    expect(parseTreeHead(`${sofa}another line\nand one more\n`)).toEqual(parseTreeHead(sofa))
  })

  it.each([
    ['no origin', sofa.replace('example.com/behind-the-sofa', '')],
    ['no size', sofa.replace('20852163\n', '')],
    ['a size with a zero before it', sofa.replace('20852163', '020852163')],
    ['a negative size', sofa.replace('20852163', '-1')],
    ['a size with a sign', sofa.replace('20852163', '+1')],
    ['a size with a fraction', sofa.replace('20852163', '1.0')],
    ['a size in another notation', sofa.replace('20852163', '1e3')],
    ['a size in other digits', sofa.replace('20852163', '１２')],
    ['a size with a space', sofa.replace('20852163', '20852163 ')],
    ['a size that is not exact as a number', sofa.replace('20852163', '9007199254740993')],
    ['no root', sofa.replace(/\nCs.*\n/, '\n')],
    ['a root that is too short', sofa.replace('CsUYapGG', '')],
    ['a root that is not in the one form of base64', sofa.replace('q2I=', 'q2J=')],
    ['no padding', sofa.replace('=', '')],
    ['an empty line after the root', `${sofa}\n`],
    ['an empty line among those that follow', `${sofa}\nmore\n`],
    ['no line feed at its end', sofa.slice(0, -1)],
  ])('is none with %s', (_, text) => {
    expect(() => parseTreeHead(text)).toThrow(NoteError)
  })
})

describe('a checkpoint', () => {
  it('is opened with the key that signed it', () => {
    expect(openCheckpoint(signTreeHead(head, [oldKey]), [oldKey.verifier])).toEqual(head)
  })

  it('is opened with either key while the log passes from one to the other', () => {
    const note = signTreeHead(head, [oldKey, newKey])
    expect(openCheckpoint(note, [oldKey.verifier])).toEqual(head)
    expect(openCheckpoint(note, [newKey.verifier])).toEqual(head)
    expect(openCheckpoint(note, [newKey.verifier, oldKey.verifier])).toEqual(head)
  })

  it('is not opened with a key that has not signed it', () => {
    expect(() => openCheckpoint(signTreeHead(head, [oldKey]), [newKey.verifier])).toThrow(UntrustedCheckpointError)
    expect(() => openCheckpoint(signTreeHead(head, [oldKey]), [])).toThrow(UntrustedCheckpointError)
  })

  it('is not opened where one of two known keys has a wrong signature', () => {
    const [right, other] = [signTreeHead(head, [oldKey]), signTreeHead({ ...head, size: 43 }, [newKey])]
    const { text, signatures } = parseNote(right)
    const note = formatNote({ text, signatures: [...signatures, ...parseNote(other).signatures] })
    expect(() => openCheckpoint(note, [oldKey.verifier, newKey.verifier])).toThrow(/signature .* is wrong/)
    expect(openCheckpoint(note, [oldKey.verifier])).toEqual(head)
  })

  it('of another log is not opened, though a known key has signed it', () => {
    const text = formatTreeHead({ ...head, origin: 'other.example' })
    const note = formatNote({ text, signatures: [oldKey.sign(text)] })
    expect(() => openCheckpoint(note, [oldKey.verifier])).toThrow(UntrustedCheckpointError)
    const foreign = signerOf(3, 'other.example')
    const signedByForeign = formatNote({ text: formatTreeHead(head), signatures: [foreign.sign(formatTreeHead(head))] })
    expect(() => openCheckpoint(signedByForeign, [oldKey.verifier, foreign.verifier])).toThrow(UntrustedCheckpointError)
  })

  it('is not the digest of an export, which the same key signs', () => {
    const text = `autovolt-ledger-export/1\n${origin}\n0 42\n${root.toString('base64')}\n`
    const note = formatNote({ text, signatures: [oldKey.sign(text)] })
    expect(() => openCheckpoint(note, [oldKey.verifier])).toThrow(NoteError)
  })
})
