import { NotFoundError } from '../core/errors.js'
import { where } from '../core/repository/conditions.js'
import type { DecoderSet } from './decoder-set.js'
import type { IngestionParts } from './ingestion-parts.js'
import type { OrderedPipeline } from './ordered-pipeline.js'
import type { QuarantinedMessage, QuarantineReason } from './quarantine.js'
import type { Refusal } from './quarantine-store.js'
import type { RawMessage } from './raw-message.js'
import type { SharedPipeline } from './shared-pipeline.js'

/** Which quarantined messages to replay; all if left out. */
export interface ReplayFilter {
  readonly reasons?: readonly QuarantineReason[]
  /** Only messages that name this device, in any spelling. */
  readonly macAddress?: string
}

export interface ReplayResult {
  /** Messages that could be used, and have left the quarantine. */
  readonly used: number
  /** Messages that still cannot be used. */
  readonly refused: number
  /** Messages that another process would have to replay. */
  readonly skipped: number
}

/** Replays quarantined messages one by one, oldest first. */
export class QuarantineReplay {
  readonly #parts: IngestionParts
  readonly #decoders: DecoderSet
  readonly #shared: SharedPipeline
  readonly #ordered: OrderedPipeline | undefined
  readonly #requireOpen: () => void

  /** @param requireOpen Throws once ingestion is closed. */
  constructor(
    parts: IngestionParts,
    decoders: DecoderSet,
    shared: SharedPipeline,
    ordered: OrderedPipeline | undefined,
    requireOpen: () => void,
  ) {
    this.#parts = parts
    this.#decoders = decoders
    this.#shared = shared
    this.#ordered = ordered
    this.#requireOpen = requireOpen
  }

  async run(filter: ReplayFilter): Promise<ReplayResult> {
    const result = { used: 0, refused: 0, skipped: 0 }
    const messages = this.#parts.quarantine.repository
    const query = {
      ...(filter.reasons === undefined ? {} : { reason: where.in(filter.reasons) }),
      ...(filter.macAddress === undefined ? {} : { macAddress: filter.macAddress }),
    }
    this.#parts.directory.clear()
    const ids: QuarantinedMessage['_id'][] = []
    for await (const { _id } of messages.stream(query, { sort: { lastReceivedAt: 1 }, select: ['_id'] })) ids.push(_id)
    for (const id of ids) {
      this.#requireOpen()
      result[await this.#replay(id)] += 1
    }
    return result
  }

  async #replay(id: QuarantinedMessage['_id']): Promise<keyof ReplayResult> {
    const { repository } = this.#parts.quarantine
    const found = await repository.findOne({ _id: id })
    if (found === null) return 'skipped'
    const payload = await this.#parts.quarantine.payloadOf(found)
    const { payloadBytes, digest } = found
    const message = {
      topic: found.topic,
      payload,
      whole: payload.byteLength < payloadBytes ? { payloadBytes, digest } : undefined,
      receivedAt: found.receivedAt,
      isRetained: found.isRetained,
      isReplayed: found.reason !== 'not_fresh',
    }
    const refusals = await this.#take(message, digest)
    if (refusals === undefined) return 'skipped'
    const [refusal] = refusals
    if (refusal === undefined) {
      await repository.delete(id).catch(ignoreMissing)
      return 'used'
    }
    await repository.update(id, { reason: refusal.reason, detail: refusal.detail, replays: found.replays + 1 })
    return 'refused'
  }

  async #take(message: RawMessage, digest: string): Promise<readonly Refusal[] | undefined> {
    const [decoded] = this.#decoders.decode([message])
    if (decoded === undefined) return [{ message, reason: 'unknown_topic', detail: 'no decoder has the topic' }]
    if (this.#decoders.find(message.topic)?.order !== 'arrival') return this.#shared.replay([decoded])
    const receivedMs = message.receivedAt.getTime()
    const delivered = { ...message, delivery: undefined, digest, waitingSinceMs: receivedMs }
    return this.#ordered?.replay([{ message: delivered, decoding: decoded.decoding }])
  }
}

/** Another process has replayed it too; that is as good. */
function ignoreMissing(error: unknown): void {
  if (!(error instanceof NotFoundError)) throw error
}
