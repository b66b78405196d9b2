import { z } from 'zod'
import { DatabaseError } from '../../core/errors.js'
import { validateData } from '../../core/validate.js'
import type { Anchor, PublishedCheckpoint } from './anchor.js'
import { formatSignature, NoteError, parseNote } from './signed-note.js'
import { WitnessKey } from './witness-key.js'

export interface WitnessOptions {
  /** Where the witness is; `add-checkpoint` is added to it. */
  readonly url: string
  /** The witness's own verifier key, `name+id+base64`: its cosignatures are checked. */
  readonly verifierKey: string
  /** @default 10 s */
  readonly timeoutMs?: number
}

const witnessSchema = z.object({
  url: z.string().max(2000),
  verifierKey: z.string().max(1000),
  timeoutMs: z.int().min(1).max(600_000).default(10_000),
})
const largestReplyBytes = 100_000

/**
 * Gives checkpoints to a witness that speaks C2SP tlog-witness over HTTP. It signs only what goes on from the checkpoint
 * that it has seen before, so that nobody, not even who has our key, can show two histories.
 * @throws DatabaseError `CONFIGURATION` for what is no key of a witness or no URL.
 */
export function witnessAnchor(options: WitnessOptions): Anchor {
  const { url, verifierKey, timeoutMs: limitMs } = validateData(witnessSchema, options, 'The options of the witness')
  const key = witnessKeyOf(verifierKey)
  const endpoint = endpointOf(url)
  /** What the witness has seen, as far as it has said. */
  let seenSize = 0

  const submit = async (checkpoint: PublishedCheckpoint, isSecond = false): Promise<string[]> => {
    const proof = await checkpoint.consistencyFrom(seenSize)
    const body = `old ${seenSize}\n${proof.map((hash) => `${hash}\n`).join('')}\n${checkpoint.note}`
    const response = await fetch(endpoint, {
      method: 'POST',
      body,
      signal: AbortSignal.timeout(limitMs),
      redirect: 'error',
    })
    const text = await textOf(response)
    // It knows another checkpoint than we thought: it gives the size.
    if (response.status === 409 && /^\d{1,15}\n?$/.test(text) && !isSecond) {
      const size = Number(text)
      if (size > checkpoint.size)
        throw new Error(`the witness has signed a checkpoint of ${size} entries, this one is of ${checkpoint.size}`)
      seenSize = size
      return submit(checkpoint, true)
    }
    if (!response.ok) throw new Error(`the witness answers ${response.status}`)
    return checkedLines(key, checkpoint.note, text)
  }

  return {
    name: `witness:${key.name}`,
    async publish(checkpoint) {
      const lines = await submit(checkpoint)
      seenSize = checkpoint.size
      return lines
    },
  }
}

function witnessKeyOf(text: string): WitnessKey {
  try {
    return WitnessKey.parse(text)
  } catch (error) {
    throw error instanceof NoteError ? new DatabaseError('CONFIGURATION', error.message) : error
  }
}

/** The reply, of which no more is read than a witness may have to say. */
async function textOf({ body }: Response): Promise<string> {
  const chunks: Uint8Array[] = []
  let bytes = 0
  for await (const chunk of body ?? []) {
    bytes += chunk.length
    if (bytes > largestReplyBytes) throw new Error(`the witness answers more than ${largestReplyBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString('utf8')
}

/** The cosignatures of the witness in its reply. */
function checkedLines(key: WitnessKey, note: string, reply: string): string[] {
  const { text } = parseNote(note)
  const { signatures } = parseNote(`${text}\n${reply}`)
  const own = signatures.filter((signature) => key.verifies(text, signature))
  if (own.length === 0) throw new Error('the witness has not signed the checkpoint')
  return own.map(formatSignature)
}

function endpointOf(url: string): string {
  if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
    throw new DatabaseError('CONFIGURATION', 'The url of a witness begins with http:// or https://')
  return new URL('add-checkpoint', url.endsWith('/') ? url : `${url}/`).href
}
