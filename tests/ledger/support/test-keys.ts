import { createPrivateKey, createPublicKey, hash } from 'node:crypto'
import type { LogKeys } from '../../../src/ledger/log/signed-note.js'

/** The keys of a log from a seed that everybody knows: for tests alone. */
export function testLogKeys(origin: string, seed: Buffer = Buffer.alloc(32, 1)): LogKeys {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const publicBytes = Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x ?? '', 'base64url')
  const encoded = Buffer.concat([Buffer.of(0x01), publicBytes])
  const id = hash('sha256', Buffer.concat([Buffer.from(`${origin}\n`), encoded]), 'buffer').toString('hex', 0, 4)
  const secret = Buffer.concat([Buffer.of(0x01), seed]).toString('base64')
  return {
    signerKey: `PRIVATE+KEY+${origin}+${id}+${secret}`,
    verifierKey: `${origin}+${id}+${encoded.toString('base64')}`,
  }
}
