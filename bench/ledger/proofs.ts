import { createPublicKey, verify } from 'node:crypto'
import type { AutoVolt } from '@autovolt/data'
import { verifyInclusion } from '@autovolt/data/ledger'
import { ObjectId } from 'mongodb'
import { median, type Row, valueRow } from '../harness.js'

const proofs = 500
const signatureBytes = 64

/** Making and checking inclusion proofs of entries all over the ledger. */
export async function benchProofs(volt: AutoVolt, verifierKey: string, switchIds: readonly string[]): Promise<Row[]> {
  const makeMs: number[] = []
  const checkMs: number[] = []
  const besidesSignatureMs: number[] = []
  const bytes: number[] = []
  for (let n = 0; n < proofs; n += 1) {
    const switchId = new ObjectId(switchIds[(n * 7919) % switchIds.length])
    const entry = await volt.ledger.findOne({ switchId }, { sort: { sequence: 1 }, select: ['_id'] })
    if (entry === null) throw new Error('A chain has no entries')
    const startedMs = performance.now()
    const proof = await volt.ledger.proveInclusion(entry._id)
    makeMs.push(performance.now() - startedMs)
    const check = checkOfSignature(proof.checkpoint, verifierKey)
    const signatureMs = msOf(check)
    const wholeMs = msOf(() => verifyInclusion(proof, [verifierKey]).valid)
    checkMs.push(wholeMs)
    besidesSignatureMs.push(wholeMs - signatureMs)
    bytes.push(JSON.stringify({ ...proof, entry: '' }).length)
  }
  return [
    valueRow('ledger.inclusion-proof-made', 'ms', { value: median(makeMs) }, { atMost: 5 }),
    valueRow('ledger.inclusion-proof-checked', 'ms', { value: median(checkMs) }, { atMost: 0.3 }),
    valueRow(
      'ledger.inclusion-proof-checked-besides-signature',
      'ms',
      { value: median(besidesSignatureMs) },
      { atMost: 0.1 },
    ),
    valueRow('ledger.inclusion-proof-size', 'bytes', { value: Math.max(...bytes) }, { atMost: 2000 }),
  ]
}

function msOf(holds: () => boolean): number {
  const startedMs = performance.now()
  if (!holds()) throw new Error('A proof does not hold')
  return performance.now() - startedMs
}

/** Node's own check of the log's Ed25519 signature (the first one of a signed note), with everything laid ready. */
function checkOfSignature(note: string, verifierKey: string): () => boolean {
  const textEnd = note.indexOf('\n\n') + 1
  const signature = Buffer.from(note.slice(textEnd + 1).split(/[ \n]/)[2] ?? '', 'base64').subarray(-signatureBytes)
  const text = Buffer.from(note.slice(0, textEnd), 'utf8')
  const encoded = verifierKey.split('+').slice(2).join('+')
  const x = Buffer.from(encoded, 'base64').subarray(1).toString('base64url')
  const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
  return () => verify(null, text, key, signature)
}
