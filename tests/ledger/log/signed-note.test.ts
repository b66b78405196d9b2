import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { checkSignatures } from '../../../src/ledger/log/checkpoint-text.js'
import { formatNote, NoteError, parseNote, SignerKey, VerifierKey } from '../../../src/ledger/log/signed-note.js'
import { testLogKeys } from '../support/test-keys.js'

// The keys and the note of golang.org/x/mod/sumdb/note, the first implementation of signed notes.
const verifier = VerifierKey.parse('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW')
const signer = SignerKey.parse('PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz')
const text = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
const line =
  '\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n'
const note = `${text}\n${line}`

// The example of the specification, https://c2sp.org/signed-note: its text has an empty line.
const poem =
  'Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n' +
  '\u2014 quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n'

const keysOf = (origin: string, seed: number) => SignerKey.parse(testLogKeys(origin, Buffer.alloc(32, seed)).signerKey)

describe('a signed note', () => {
  it('of the first implementation has a signature that is right', () => {
    const parsed = parseNote(note)
    expect(parsed.text).toBe(text)
    expect(checkSignatures(parsed, [verifier])).toEqual({ signedBy: [verifier], forged: [] })
  })

  it('is signed to the byte as the first implementation signs it', () => {
    expect(formatNote({ text, signatures: [signer.sign(text)] })).toBe(note)
  })

  it('of the specification is parsed: its text ends before the last empty line', () => {
    const parsed = parseNote(poem)
    expect(parsed.text.split('\n')).toHaveLength(5)
    expect(parsed.signatures).toMatchObject([{ keyName: 'quasimodo.example/salvatore', keyId: 0x367ba04b }])
    expect(parsed.signatures[0]?.bytes).toHaveLength(64)
    expect(formatNote(parsed)).toBe(poem)
  })

  it('comes back as it was written, whatever its text', () => {
    const line = fc.string({ unit: 'grapheme' }).filter((given) => /^[^\p{Cc}\p{Cs}\ufffd]*$/u.test(given))
    fc.assert(
      fc.property(fc.array(line, { minLength: 1 }), (lines) => {
        const signed = `${lines.join('\n')}\n`
        const written = formatNote({ text: signed, signatures: [signer.sign(signed)] })
        expect(formatNote(parseNote(written))).toBe(written)
        expect(checkSignatures(parseNote(written), [verifier]).signedBy).toEqual([verifier])
      }),
    )
  })

  it('is another one for every byte that is flipped: malformed, unsigned or forged', () => {
    const bytes = Buffer.from(note)
    for (let at = 0; at < bytes.length; at += 1) {
      const changed = Buffer.from(bytes)
      changed[at]! ^= 1
      expect(isSigned(changed.toString('utf8'))).toBe(false)
    }
  })

  it.each([
    ['no empty line', text],
    ['no signature', `${text}\n`],
    ['no line feed at its end', note.slice(0, -1)],
    ['a line feed too many at its end', `${note}\n`],
    ['a hyphen in place of the dash', note.replace('\u2014', '-')],
    ['two spaces after the dash', note.replace('\u2014 ', '\u2014  ')],
    ['two spaces after the name', note.replace('PeterNeumann ', 'PeterNeumann  ')],
    ['a space at the end of the line', note.replace('AM=\n', 'AM= \n')],
    ['a name with a plus sign', note.replace('PeterNeumann', 'Peter+Neumann')],
    ['no name', note.replace('PeterNeumann ', ' ')],
    ['a signature without padding', note.replace('AM=\n', 'AM\n')],
    ['a signature whose last bits are not zero', note.replace('AM=\n', 'AN=\n')],
    ['a signature in base64 for addresses', note.replace('/', '_')],
    ['a line feed of Windows', note.replace('problem is.\n', 'problem is.\r\n')],
    ['a tab', note.replace('you think', 'you\tthink')],
    ['a zero', note.replace('you think', 'you\0think')],
    ['what stands for bytes that are no text', note.replace('you', 'y\ufffdu')],
    ['half a character', note.replace('you', 'y\ud83du')],
    ['a key id alone', `${text}\n\u2014 PeterNeumann x08gow==\n`],
  ])('is none with %s', (_, malformed) => {
    expect(isSigned(malformed)).toBe(false)
  })

  it('is trusted for a known key, whoever else has signed', () => {
    const other = keysOf('witness.example', 7)
    const both = formatNote({ text, signatures: [other.sign(text), signer.sign(text)] })
    expect(checkSignatures(parseNote(both), [verifier])).toEqual({ signedBy: [verifier], forged: [] })
    expect(checkSignatures(parseNote(both), [keysOf('PeterNeumann', 8).verifier]).signedBy).toEqual([])
  })

  it('has a forged signature where one that names a key is not of the key', () => {
    const { keyName, keyId } = signer.sign(text)
    const forged = { keyName, keyId, bytes: keysOf('PeterNeumann', 8).sign(text).bytes }
    for (const bytes of [forged.bytes, forged.bytes.subarray(1), Buffer.alloc(64), Buffer.of(1)]) {
      const parsed = parseNote(formatNote({ text, signatures: [{ keyName, keyId, bytes }] }))
      expect(checkSignatures(parsed, [verifier])).toEqual({ signedBy: [], forged: [verifier] })
    }
  })
})

function isSigned(changed: string): boolean {
  try {
    const { signedBy, forged } = checkSignatures(parseNote(changed), [verifier])
    return signedBy.length > 0 && forged.length === 0
  } catch (error) {
    expect(error).toBeInstanceOf(NoteError)
    return false
  }
}
