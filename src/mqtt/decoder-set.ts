import type { Decoded } from '../ingestion/pipeline.js'
import type { RawMessage } from '../ingestion/quarantine-store.js'
import type { Decoder, Decoding } from '../ingestion/report.js'
import { matchesFilter } from './topic.js'

/** The protocols of an ingestion, found by topic. */
export class DecoderSet {
  readonly #decoders: readonly Decoder[]
  /** The decoder of each topic that was met. */
  readonly #byTopic = new Map<string, Decoder | undefined>()

  constructor(decoders: readonly Decoder[]) {
    this.#decoders = decoders
  }

  has(order: Decoder['order']): boolean {
    return this.#decoders.some((decoder) => decoder.order === order)
  }

  filters(order: Decoder['order']): string[] {
    return this.#decoders.filter((decoder) => decoder.order === order).flatMap(({ filters }) => filters)
  }

  /** The decoder of the topic; undefined if no protocol has it. */
  find(topic: string): Decoder | undefined {
    if (!this.#byTopic.has(topic)) {
      if (this.#byTopic.size > maximumTopics) this.#byTopic.clear()
      this.#byTopic.set(
        topic,
        this.#decoders.find(({ filters }) => filters.some((filter) => matchesFilter(filter, topic))),
      )
    }
    return this.#byTopic.get(topic)
  }

  decode<Message extends RawMessage>(batch: readonly Message[]): Decoded<Message>[] {
    return batch.map((message) => ({ message, decoding: this.#decodeOne(message) }))
  }

  #decodeOne({ topic, payload }: RawMessage): Decoding {
    const decoder = this.find(topic)
    if (decoder === undefined) return { reason: 'unknown_topic', detail: 'no decoder knows the topic' }
    try {
      return decoder.decode(topic, payload)
    } catch (error) {
      return {
        reason: 'failed',
        detail: `the decoder ${decoder.name} threw ${error instanceof Error ? error.name : 'something'}`,
      }
    }
  }
}

const maximumTopics = 100_000
