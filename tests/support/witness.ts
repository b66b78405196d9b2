import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { openCheckpoint, type TreeHead } from '../../src/ledger/log/checkpoint-text.js'
import { provesConsistency } from '../../src/ledger/log/merkle-proof.js'
import { parseNote, VerifierKey } from '../../src/ledger/log/signed-note.js'
import { cleanUpLater } from './clean-up.js'
import { cosignature, witnessKey } from './cosignature.js'

export interface WitnessReply {
  readonly status: number
  readonly body: string
}

export interface TestWitnessOptions {
  /** The logs that it knows, by their verifier keys. */
  readonly logKeys: readonly string[]
  readonly name?: string
  /** Its secret: 32 bytes. */
  readonly seed?: Buffer
  /** What it sends in place of what it should. Undefined: nothing at all. */
  readonly tampers?: (reply: WitnessReply) => WitnessReply | undefined
}

export interface TestWitness {
  readonly url: string
  readonly verifierKey: string
  /** The sizes that it was given, and what it answered. */
  readonly requests: { readonly old: number; readonly size: number; readonly status: number }[]
  /** What it has signed last. */
  readonly seen: TreeHead | undefined
}

const refused = (status: number, body = ''): WitnessReply => ({ status, body })

/** A witness over HTTP (C2SP tlog-witness) that remembers in memory what it has signed. Closed at the end of the test. */
export async function startWitness(options: TestWitnessOptions): Promise<TestWitness> {
  const { logKeys, name = 'witness.example/w1', seed = Buffer.alloc(32, 9), tampers = (reply) => reply } = options
  const keys = logKeys.map(VerifierKey.parse)
  const requests: TestWitness['requests'] = []
  let seen: TreeHead | undefined

  const judge = (old: number, proof: readonly Buffer[], note: string): WitnessReply => {
    const { text } = parseNote(note)
    if (!keys.some((key) => text.startsWith(`${key.name}\n`))) return refused(404)
    let head: TreeHead
    try {
      head = openCheckpoint(note, keys)
    } catch {
      return refused(403)
    }
    if (old > head.size) return refused(400)
    if (old !== (seen?.size ?? 0)) return refused(409, `${seen?.size ?? 0}\n`)
    if (seen !== undefined && seen.size === head.size && !seen.rootHash.equals(head.rootHash))
      return refused(409, `${seen.size}\n`)
    const goesOn =
      seen === undefined
        ? proof.length === 0
        : provesConsistency(seen.size, head.size, seen.rootHash, head.rootHash, proof)
    if (!goesOn) return refused(422)
    seen = head
    return { status: 200, body: cosignature(name, seed, text, 1_772_366_400) }
  }

  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString('utf8')
      const end = body.indexOf('\n\n')
      const [first = '', ...proof] = body.slice(0, end).split('\n')
      const old = Number(/^old (0|[1-9]\d*)$/.exec(first)?.[1])
      const isRequest = request.method === 'POST' && request.url === '/log/add-checkpoint' && proof.length <= 63
      const note = body.slice(end + 2)
      const hashes = proof.map((line) => Buffer.from(line, 'base64'))
      const given = isRequest && !Number.isNaN(old) ? judge(old, hashes, note) : refused(400)
      const reply = tampers(given)
      requests.push({ old, size: Number(note.split('\n')[1]), status: reply?.status ?? 0 })
      if (reply === undefined) return
      const headers = reply.status === 409 ? { 'content-type': 'text/x.tlog.size' } : {}
      response.writeHead(reply.status, headers).end(reply.body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  cleanUpLater(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/log`,
    verifierKey: witnessKey(name, seed).verifierKey,
    requests,
    get seen() {
      return seen
    },
  }
}
