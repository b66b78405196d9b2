import { describe, expect, it } from 'vitest'
import { parseNote } from '../../../src/ledger/log/signed-note.js'
import { WitnessKey } from '../../../src/ledger/log/witness-key.js'
import { cosignature, witnessKey } from '../../support/cosignature.js'
import { testLogKeys } from '../support/test-keys.js'

const name = 'witness.example/w1'
const seed = Buffer.alloc(32, 9)
const text = 'example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n'
const key = WitnessKey.parse(witnessKey(name, seed).verifierKey)
const signatureOf = (line: string) => parseNote(`${text}\n${line}`).signatures[0]!

describe('the key of a witness', () => {
  it('verifies its cosignature', () => {
    expect(key.verifies(text, signatureOf(cosignature(name, seed, text, 1_679_315_147)))).toBe(true)
  })

  it('refuses one of another text, time, key or name', () => {
    const right = signatureOf(cosignature(name, seed, text, 1_679_315_147))
    const bytes = Buffer.from(right.bytes)
    bytes[7]! ^= 1
    expect(key.verifies(text.replace('20852163', '20852164'), right)).toBe(false)
    expect(key.verifies(text, { ...right, bytes })).toBe(false)
    expect(key.verifies(text, signatureOf(cosignature(name, Buffer.alloc(32, 8), text, 1)))).toBe(false)
    expect(key.verifies(text, { ...right, keyName: 'witness.example/w2' })).toBe(false)
    expect(key.verifies(text, { ...right, keyId: right.keyId ^ 1 })).toBe(false)
    expect(key.verifies(text, { ...right, bytes: right.bytes.subarray(8) })).toBe(false)
  })

  it('reads the example of the specification as 4 bytes of id, 8 of time and 64 of signature', () => {
    const line =
      '\u2014 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n'
    const { keyId, bytes } = signatureOf(line)
    expect(keyId).toBe(0x8d66cf3f)
    expect(bytes.readBigUInt64BE(0)).toBe(1_679_315_147n)
    expect(bytes).toHaveLength(8 + 64)
  })

  it.each([
    ['the key of a log', testLogKeys(name, seed).verifierKey],
    ['another name', witnessKey(name, seed).verifierKey.replace('w1', 'w2')],
    ['another id', witnessKey(name, seed).verifierKey.replace(/\+[0-9a-f]{8}\+/, '+00000000+')],
    ['a key that is cut off', witnessKey(name, seed).verifierKey.slice(0, -4)],
    ['nothing', ''],
  ])('is not read from %s', (_, given) => {
    expect(() => WitnessKey.parse(given)).toThrow(expect.objectContaining({ name: 'NoteError' }))
  })
})
