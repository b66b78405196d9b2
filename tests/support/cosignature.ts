import { createPrivateKey, createPublicKey, hash, type KeyObject, sign } from 'node:crypto'

/** A key of C2SP tlog-cosignature: an Ed25519 key and its name, `name+id+base64`. */
export function witnessKey(name: string, seed: Buffer): { verifierKey: string; keyId: Buffer; key: KeyObject } {
  const der = Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed])
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  const publicBytes = Buffer.from(createPublicKey(key).export({ format: 'jwk' }).x ?? '', 'base64url')
  const encoded = Buffer.concat([Buffer.of(0x04), publicBytes])
  const keyId = hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), encoded]), 'buffer').subarray(0, 4)
  return { verifierKey: `${name}+${keyId.toString('hex')}+${encoded.toString('base64')}`, keyId, key }
}

/** A signature line of a witness: `cosignature/v1`, with the time in seconds. */
export function cosignature(name: string, seed: Buffer, checkpointText: string, seconds: number): string {
  const { keyId, key } = witnessKey(name, seed)
  const time = Buffer.alloc(8)
  time.writeBigUInt64BE(BigInt(seconds))
  const signature = sign(null, Buffer.from(`cosignature/v1\ntime ${seconds}\n${checkpointText}`), key)
  return `\u2014 ${name} ${Buffer.concat([keyId, time, signature]).toString('base64')}\n`
}
