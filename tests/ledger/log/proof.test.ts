import { type ConsistencyProof, type InclusionProof, verifyConsistency, verifyInclusion } from '@autovolt/data/ledger'
import { describe, expect, it } from 'vitest'
import { signTreeHead } from '../../../src/ledger/log/checkpoint-text.js'
import { SignerKey } from '../../../src/ledger/log/signed-note.js'
import { golden } from '../golden/golden-files.js'
import { firstKeys, origin, secondKeys } from '../golden/inputs.js'
import { testLogKeys } from '../support/test-keys.js'

const inclusions = JSON.parse(golden('v1', 'inclusion.json')) as InclusionProof[]
const inclusion = inclusions[4]!
const consistency = JSON.parse(golden('v1', 'consistency.json')) as ConsistencyProof
const keys = [firstKeys.verifierKey]
const stranger = testLogKeys(origin, Buffer.alloc(32, 77))
const flipped = (base64: string, at: number) => {
  const bytes = Buffer.from(base64, 'base64')
  bytes[at]! ^= 1
  return bytes.toString('base64')
}
const refuted = (reason: RegExp) => ({ valid: false, reason: expect.stringMatching(reason) })

describe('verifyInclusion', () => {
  it('says that an entry is in the ledger, by either key of its log', () => {
    expect(verifyInclusion(inclusion, keys)).toEqual({ valid: true })
    expect(verifyInclusion(inclusion, [secondKeys.verifierKey])).toEqual({ valid: true })
  })

  it('says no for every byte of the entry that is changed', () => {
    for (let at = 0; at < Buffer.from(inclusion.entry, 'base64').length; at += 1)
      expect(verifyInclusion({ ...inclusion, entry: flipped(inclusion.entry, at) }, keys)).toMatchObject({
        valid: false,
      })
  })

  it('says no for every bit of its hashes', () => {
    for (const [place, hash] of inclusion.hashes.entries())
      for (let at = 0; at < 32; at += 1)
        expect(
          verifyInclusion({ ...inclusion, hashes: inclusion.hashes.with(place, flipped(hash, at)) }, keys),
        ).toEqual(refuted(/do not lead to the root/))
  })

  it('says no for the proof of another entry, or another place', () => {
    for (const other of inclusions.filter(({ leafIndex }) => leafIndex !== inclusion.leafIndex)) {
      expect(verifyInclusion({ ...inclusion, entry: other.entry }, keys).valid).toBe(false)
      expect(verifyInclusion({ ...inclusion, leafIndex: other.leafIndex }, keys).valid).toBe(false)
    }
  })

  it.each([-1, 0.5, Number.NaN, 2 ** 53, 1e300, '4', null, undefined])('says no for the place %s', (leafIndex) => {
    const proof = { ...inclusion, leafIndex } as unknown as InclusionProof
    expect(verifyInclusion(proof, keys)).toMatchObject({ valid: false })
  })

  it('says no for hashes that are no hashes', () => {
    for (const hashes of [['='], ['AA'], [''], [inclusion.hashes[0]!.replace('=', '')], [5], [null], [{}]])
      expect(verifyInclusion({ ...inclusion, hashes: hashes as string[] }, keys)).toMatchObject({ valid: false })
  })

  it('says no, and does not throw, for what is no proof', () => {
    const wrong = [null, undefined, 5, 'proof', [], {}, consistency, { ...inclusion, kind: 'consistency' }]
    const incomplete = Object.keys(inclusion).map((name) => ({ ...inclusion, [name]: undefined }))
    for (const proof of [...wrong, ...incomplete])
      expect(verifyInclusion(proof as unknown as InclusionProof, keys)).toMatchObject({ valid: false })
  })

  it('says that nobody who is known has signed, without the key of its log', () => {
    expect(verifyInclusion(inclusion, [stranger.verifierKey])).toEqual(refuted(/none of the keys has signed/))
    expect(verifyInclusion(inclusion, [testLogKeys('other.example').verifierKey])).toEqual(refuted(/of a log/))
  })

  it('says nothing of a proof where the keys are none, of two logs, or not to be told apart', () => {
    const foreign = testLogKeys('other.example').verifierKey
    for (const [wrong, why] of [
      [[], 'of one log, at least one'],
      [['no key'], 'name+id+base64'],
      [[...keys, foreign], 'of one log'],
      ['no list', 'a list'],
    ] as const) {
      const error = expect.objectContaining({ name: 'NoteError', message: expect.stringContaining(why) })
      expect(() => verifyInclusion(inclusion, wrong as readonly string[])).toThrow(error)
      expect(() => verifyConsistency(consistency, wrong as readonly string[])).toThrow(error)
    }
    expect(verifyInclusion(inclusion, [...keys, ...keys, secondKeys.verifierKey])).toEqual({ valid: true })
  })
})

describe('verifyConsistency', () => {
  it('says that the later ledger begins with the earlier one', () => {
    expect(verifyConsistency(consistency, keys)).toEqual({ valid: true })
  })

  it('says no for every bit of its hashes, and for hashes missing, added or exchanged', () => {
    const { hashes } = consistency
    for (const [place, hash] of hashes.entries())
      for (let at = 0; at < 32; at += 1)
        expect(verifyConsistency({ ...consistency, hashes: hashes.with(place, flipped(hash, at)) }, keys)).toEqual(
          refuted(/does not begin/),
        )
    for (const changed of [hashes.slice(1), hashes.slice(0, -1), [...hashes, hashes[0]!], hashes.toReversed(), []])
      expect(verifyConsistency({ ...consistency, hashes: changed }, keys)).toEqual(refuted(/does not begin/))
  })

  it('says no for every character of a checkpoint', () => {
    const { from } = consistency
    for (let at = 0; at < from.length; at += 1) {
      const changed = `${from.slice(0, at)}${from[at] === 'A' ? 'B' : 'A'}${from.slice(at + 1)}`
      expect(verifyConsistency({ ...consistency, from: changed }, keys)).toMatchObject({ valid: false })
    }
  })

  it('says no the wrong way round, and yes for a checkpoint and itself', () => {
    const { from, to } = consistency
    expect(verifyConsistency({ ...consistency, from: to, to: from }, keys)).toMatchObject({ valid: false })
    expect(verifyConsistency({ ...consistency, to: from, hashes: [] }, keys)).toEqual({ valid: true })
  })

  it('says no for two ledgers of one size, both signed', () => {
    const signer = SignerKey.parse(firstKeys.signerKey)
    const forked = signTreeHead({ origin, size: 11, rootHash: Buffer.alloc(32, 1) }, [signer])
    expect(verifyConsistency({ ...consistency, from: forked, hashes: [] }, keys)).toEqual(refuted(/does not begin/))
  })

  it('says no, and does not throw, for what is no proof', () => {
    const incomplete = Object.keys(consistency).map((name) => ({ ...consistency, [name]: undefined }))
    for (const proof of [null, 5, [], {}, inclusion, ...incomplete])
      expect(verifyConsistency(proof as unknown as ConsistencyProof, keys)).toMatchObject({ valid: false })
  })
})
