import { inspect } from 'node:util'
import { generateLogKeys } from '@autovolt/data/ledger'
import { describe, expect, it } from 'vitest'
import { ledgerLogOf } from '../../../src/ledger/log/log-options.js'
import { NoteError, SignerKey, VerifierKey } from '../../../src/ledger/log/signed-note.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'

const peter = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW'

/** Whether eight characters of the secret beside each other are in the text. */
function shows(text: string, signerKey: string): boolean {
  const secret = signerKey.slice(-44)
  return Array.from({ length: secret.length - 8 }, (_, at) => secret.slice(at, at + 8)).some((part) =>
    text.includes(part),
  )
}

describe('generateLogKeys', () => {
  it('makes a signer key and the verifier key that belongs to it, in the form that other tools read', () => {
    const { signerKey, verifierKey } = generateLogKeys('school.example/energy')
    expect(signerKey).toMatch(/^PRIVATE\+KEY\+school\.example\/energy\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/)
    expect(verifierKey).toMatch(/^school\.example\/energy\+[0-9a-f]{8}\+[A-Za-z0-9+/]{44}$/)
    expect(SignerKey.parse(signerKey).verifier.text).toBe(verifierKey)
    expect(VerifierKey.parse(verifierKey).text).toBe(verifierKey)
  })

  it('makes another key each time', () => {
    expect(generateLogKeys('a').signerKey).not.toBe(generateLogKeys('a').signerKey)
  })

  it.each([
    ['nothing', ''],
    ['a space', 'my log'],
    ['a space that cannot be broken', 'my\u00a0log'],
    ['a line end of other systems', 'my\u0085log'],
    ['a line feed', 'log\n'],
    ['a plus sign', 'my+log'],
    ['a control character', 'my\u0001log'],
    ['half a character', 'my\ud83dlog'],
    ['what stands for bytes that are no text', 'my\ufffdlog'],
    ['too many characters', 'x'.repeat(201)],
  ])('makes none for a name with %s', (_, origin) => {
    expect(() => generateLogKeys(origin)).toThrow(NoteError)
  })
})

describe('a verifier key', () => {
  it('is not read from any part of one, nor from one with a character changed', () => {
    for (let from = 0; from <= peter.length; from += 1)
      for (let to = from; to <= peter.length; to += 1)
        if (to - from < peter.length) expect(() => VerifierKey.parse(peter.slice(from, to))).toThrow(NoteError)
    for (let at = 0; at < peter.length; at += 1) {
      const changed = peter.slice(0, at) + String.fromCharCode(peter.charCodeAt(at) + 1) + peter.slice(at + 1)
      expect(() => VerifierKey.parse(changed)).toThrow(NoteError)
    }
  })

  it('is not read from the key of another algorithm, or of another length', () => {
    expect(() => VerifierKey.parse('PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW')).toThrow(
      NoteError,
    )
    expect(() =>
      VerifierKey.parse('PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=='),
    ).toThrow(NoteError)
  })

  it('may have white space around it, as files have', () => {
    expect(VerifierKey.parse(`${peter}\n`).text).toBe(peter)
  })
})

describe('a signer key', () => {
  it('shows itself neither as JSON nor where it is looked at', () => {
    const { signerKey } = generateLogKeys('school.example/energy')
    const signer = SignerKey.parse(signerKey)
    const looks = [JSON.stringify(signer), inspect(signer, { depth: 10, showHidden: true }), String(signer)]
    for (const look of looks) expect(shows(look, signerKey)).toBe(false)
  })

  it('shows itself in no error about it', () => {
    const { signerKey } = generateLogKeys('school.example/energy')
    for (const broken of [
      signerKey.slice(0, -1),
      signerKey.replace('energy', 'water'),
      `${signerKey}=`,
      ` ${signerKey} x`,
    ]) {
      const error = thrownBy(() => SignerKey.parse(broken))
      expect(error).toBeInstanceOf(NoteError)
      expect(shows(inspect(error, { depth: 10 }), signerKey)).toBe(false)
      const configuration = thrownBy(() => ledgerLogOf({ signerKeys: [broken] }))
      expect(configuration).toMatchObject({ code: 'CONFIGURATION' })
      expect(shows(inspect(configuration, { depth: 10, showHidden: true }), signerKey)).toBe(false)
    }
  })

  it('is not seen in the handle that signs with it', async () => {
    const { signerKey } = generateLogKeys('school.example/energy')
    const volt = await openVolt(setUpDatabase(), { ledgerLog: { signerKeys: [signerKey] } })
    expect(shows(inspect(volt, { depth: 10 }) + inspect(volt.ledger, { depth: 10 }), signerKey)).toBe(false)
  })
})

describe('the keys of a handle', () => {
  it('are refused when they are of two logs', () => {
    const signerKeys = [generateLogKeys('a').signerKey, generateLogKeys('b').signerKey]
    expect(() => ledgerLogOf({ signerKeys })).toThrow(/one log/)
    expect(() => ledgerLogOf({ verifierKeys: [peter, generateLogKeys('b').verifierKey] })).toThrow(/one log/)
  })
})

function thrownBy(work: () => unknown): unknown {
  try {
    work()
  } catch (error) {
    return error
  }
  throw new Error('it did not throw')
}
