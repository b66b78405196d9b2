import { type AddressInfo, createServer } from 'node:net'
import { witnessAnchor } from '@autovolt/data'
import { describe, expect, it } from 'vitest'
import { parseNote, SignerKey } from '../../../src/ledger/log/signed-note.js'
import { WitnessKey } from '../../../src/ledger/log/witness-key.js'
import { publishedCheckpoint } from '../../support/anchored.js'
import { cleanUpLater } from '../../support/clean-up.js'
import { cosignature, witnessKey } from '../../support/cosignature.js'
import { startWitness, type TestWitnessOptions, type WitnessReply } from '../../support/witness.js'
import { someLeaves } from '../support/slow-tree.js'
import { testLogKeys } from '../support/test-keys.js'

const origin = 'school.example/energy'
const keys = testLogKeys(origin)
const signer = SignerKey.parse(keys.signerKey)
const leaves = someLeaves(40)
const upTo = (size: number) => publishedCheckpoint(leaves.slice(0, size), signer)
const rewritten = (size: number) => publishedCheckpoint([...leaves.slice(1, size), leaves[0]!], signer)
const witness = (options: Partial<TestWitnessOptions> = {}) => startWitness({ logKeys: [keys.verifierKey], ...options })

describe('witnessAnchor', () => {
  it('brings back a cosignature that the key of the witness verifies', async () => {
    const { url, verifierKey } = await witness()
    const checkpoint = upTo(7)
    const lines = await witnessAnchor({ url, verifierKey }).publish(checkpoint)
    const { text, signatures } = parseNote(`${checkpoint.note}${lines?.join('\n')}\n`)
    expect(signatures).toHaveLength(2)
    expect(WitnessKey.parse(verifierKey).verifies(text, signatures[1]!)).toBe(true)
  })

  it('goes on from the last checkpoint with a consistency proof', async () => {
    const running = await witness()
    const anchor = witnessAnchor(running)
    for (const size of [3, 7, 8, 40]) await anchor.publish(upTo(size))
    expect(running.requests).toEqual([
      { old: 0, size: 3, status: 200 },
      { old: 3, size: 7, status: 200 },
      { old: 7, size: 8, status: 200 },
      { old: 8, size: 40, status: 200 },
    ])
  })

  it('asks again with the size that the witness tells, when another process has been there', async () => {
    const running = await witness()
    await witnessAnchor(running).publish(upTo(5))
    expect(await witnessAnchor(running).publish(upTo(9))).toHaveLength(1)
    expect(running.requests.slice(1)).toEqual([
      { old: 0, size: 9, status: 409 },
      { old: 5, size: 9, status: 200 },
    ])
  })

  it('brings the same checkpoint a second time', async () => {
    const running = await witness()
    await witnessAnchor(running).publish(upTo(5))
    expect(await witnessAnchor(running).publish(upTo(5))).toHaveLength(1)
  })

  it('fails, and says so, when the witness has signed more than there is', async () => {
    const running = await witness()
    await witnessAnchor(running).publish(upTo(9))
    const anchor = witnessAnchor(running)
    await expect(anchor.publish(upTo(5))).rejects.toThrow('a checkpoint of 9 entries, this one is of 5')
    expect(await anchor.publish(upTo(12))).toHaveLength(1)
  })

  it('fails when the history was written anew', async () => {
    const running = await witness()
    const anchor = witnessAnchor(running)
    await anchor.publish(upTo(5))
    await expect(anchor.publish(rewritten(9))).rejects.toThrow('the witness answers 422')
    await expect(anchor.publish(rewritten(5))).rejects.toThrow('the witness answers 409')
    expect(running.seen?.size).toBe(5)
  })

  it('fails when the witness does not know the log, or its key', async () => {
    const [stranger, otherKey] = [testLogKeys('other.example'), testLogKeys(origin, Buffer.alloc(32, 2))]
    await expect(witnessAnchor(await witness({ logKeys: [stranger.verifierKey] })).publish(upTo(5))).rejects.toThrow(
      'the witness answers 404',
    )
    await expect(witnessAnchor(await witness({ logKeys: [otherKey.verifierKey] })).publish(upTo(5))).rejects.toThrow(
      'the witness answers 403',
    )
  })

  const textOf = (size: number) => parseNote(upTo(size).note).text
  it.each<[string, (reply: WitnessReply) => WitnessReply]>([
    ['nothing', (reply) => ({ ...reply, body: '' })],
    ['what is no signature', (reply) => ({ ...reply, body: '<html>It works!</html>\n' })],
    ['a signature that is cut off', (reply) => ({ ...reply, body: reply.body.slice(0, -5) })],
    [
      'a signature of another key',
      (reply) => ({ ...reply, body: cosignature('witness.example/w1', Buffer.alloc(32, 8), textOf(5), 1) }),
    ],
    [
      'a signature of another witness',
      (reply) => ({ ...reply, body: cosignature('witness.example/w2', Buffer.alloc(32, 9), textOf(5), 1) }),
    ],
    [
      'a signature on another checkpoint',
      (reply) => ({ ...reply, body: cosignature('witness.example/w1', Buffer.alloc(32, 9), textOf(6), 1) }),
    ],
    ['a size in place of a signature', () => ({ status: 200, body: '5\n' })],
    ['a conflict without an end', () => ({ status: 409, body: '3\n' })],
    ['a conflict that says no size', () => ({ status: 409, body: 'three\n' })],
    ['a failure', () => ({ status: 500, body: 'out of order' })],
    ['that the log is to go elsewhere', () => ({ status: 302, body: '' })],
  ])('fails when the witness answers %s', async (_, tampers) => {
    await expect(witnessAnchor(await witness({ tampers })).publish(upTo(5))).rejects.toThrow()
  })

  it('brings back the signatures of its witness, and of nobody else', async () => {
    const other = cosignature('witness.example/w2', Buffer.alloc(32, 8), textOf(5), 1)
    const tampers = (reply: WitnessReply) => ({ ...reply, body: `${other}${reply.body}` })
    const lines = await witnessAnchor(await witness({ tampers })).publish(upTo(5))
    expect(lines).toHaveLength(1)
    expect(lines?.[0]).toContain('witness.example/w1')
  })

  it('reads no more of an endless answer than a witness can have to say', async () => {
    let sent = 0
    const endless = createServer((socket) => {
      socket.on('error', () => undefined)
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      const more = () => {
        while (!socket.destroyed) {
          sent += 65_536
          if (!socket.write('x'.repeat(65_536))) break
        }
      }
      socket.on('drain', more)
      socket.once('data', more)
    })
    await new Promise<void>((resolve) => endless.listen(0, '127.0.0.1', resolve))
    cleanUpLater(async () => void endless.close())
    const url = `http://127.0.0.1:${(endless.address() as AddressInfo).port}`
    const { verifierKey } = witnessKey('witness.example/w1', Buffer.alloc(32, 9))
    await expect(witnessAnchor({ url, verifierKey }).publish(upTo(5))).rejects.toThrow('more than 100000 bytes')
    expect(sent).toBeLessThan(50_000_000)
  })

  it('gives up on a witness that does not answer', async () => {
    const running = await witness({ tampers: () => undefined })
    await expect(witnessAnchor({ ...running, timeoutMs: 100 }).publish(upTo(5))).rejects.toThrow(/timeout/)
  })

  it('fails where nobody listens', async () => {
    const { verifierKey } = witnessKey('witness.example/w1', Buffer.alloc(32, 9))
    await expect(witnessAnchor({ url: 'http://127.0.0.1:1', verifierKey }).publish(upTo(5))).rejects.toThrow()
  })

  it.each(['', 'witness.example', 'ftp://witness.example', 'file:///tmp/witness'])('refuses the url %j', (url) => {
    const { verifierKey } = witnessKey('witness.example/w1', Buffer.alloc(32, 9))
    expect(() => witnessAnchor({ url, verifierKey })).toThrow(expect.objectContaining({ code: 'CONFIGURATION' }))
  })
})
