import { isRecord } from '../core/is-record.js'
import { admittedReport } from './admitted-report.js'
import { kindOf } from './error-kind.js'
import type { Decoded } from './pipeline.js'
import { excessOf, type RawMessage } from './raw-message.js'
import type { Decoder, Decoding, DeviceReport, GivenReport, Unusable } from './report.js'
import { type FilterLevels, hasWildcard, levelsOf, matchesLevels } from './topic.js'

interface WildFilter {
  readonly levels: FilterLevels
  /** The place of the decoder that has it. */
  readonly at: number
}

/** Protocols, found by topic. What it knows is its decoders' filters and nothing of the topics that it has met. */
export class DecoderSet {
  readonly #decoders: readonly Decoder[]
  /** Whose messages are decoded; undefined for all. */
  readonly #order: Decoder['order'] | undefined
  /** The place of the decoder of each filter without a wildcard. */
  readonly #exact = new Map<string, number>()
  readonly #wild: WildFilter[] = []
  readonly #mostLevels: number

  /**
   * @param decoders Where several have a topic, it is the first one's.
   * @param order Decodes the messages of those decoders alone whose order is this one.
   */
  constructor(decoders: readonly Decoder[], order?: Decoder['order']) {
    this.#decoders = decoders
    this.#order = order
    for (const [at, { filters }] of decoders.entries()) {
      for (const filter of filters) {
        if (hasWildcard(filter)) this.#wild.push({ levels: filter.split('/'), at })
        else if (!this.#exact.has(filter)) this.#exact.set(filter, at)
      }
    }
    this.#mostLevels = this.#wild.reduce((most, { levels }) => Math.max(most, levels.length), 0)
  }

  /** The part of it that decodes messages of this order; each topic stays the same decoder's. */
  of(order: Decoder['order']): DecoderSet {
    return new DecoderSet(this.#decoders, order)
  }

  /** The topic filters of what it decodes, each once. */
  get filters(): string[] {
    return [...new Set(this.#decoders.flatMap((decoder) => (this.#decodes(decoder) ? decoder.filters : [])))]
  }

  /** The decoder of the topic; undefined if no protocol has it. */
  find(topic: string): Decoder | undefined {
    const exact = this.#exact.get(topic) ?? this.#decoders.length
    return this.#decoders[Math.min(exact, this.#firstWild(topic))]
  }

  /** What they make of the messages; those of topics that it does not decode are left out. */
  decode<Message extends RawMessage>(batch: readonly Message[]): Decoded<Message>[] {
    return batch.flatMap((message) => {
      const decoder = this.find(message.topic)
      if (decoder === undefined || !this.#decodes(decoder)) return []
      return [{ message, decoding: decodeOne(decoder, message) }]
    })
  }

  #decodes({ order }: Decoder): boolean {
    return this.#order === undefined || this.#order === order
  }

  #firstWild(topic: string): number {
    if (this.#wild.length === 0) return this.#decoders.length
    const levels = levelsOf(topic, this.#mostLevels)
    return this.#wild.find((filter) => matchesLevels(filter.levels, levels))?.at ?? this.#decoders.length
  }
}

/** Whatever a decoder of the host does, it does to this message alone. */
function decodeOne(decoder: Decoder, message: RawMessage): Decoded['decoding'] {
  const { topic, payload } = message
  const excess = excessOf(message)
  if (excess !== undefined) return { reason: 'too_large', detail: excess }
  try {
    return admitted(decoder.decode(topic, payload), decoder)
  } catch (error) {
    return { reason: 'failed', detail: `the decoder ${decoder.name} threw ${kindOf(error)}` }
  }
}

/** A message is taken as a whole: one report that is none spoils the others. */
function admitted(decoding: Decoding, { order }: Decoder): Decoded['decoding'] {
  if (!('reports' in decoding)) return decoding
  const reports: DeviceReport[] = []
  for (const given of decoding.reports) {
    const report = admittedReport(given)
    if ('reason' in report) return { ...report, macAddress: macAddressOf(given) }
    if (order === 'device' && !hasIdentity(report)) return { ...nameless, macAddress: macAddressOf(given) }
    reports.push(report)
  }
  return { reports }
}

/** Only what has a name of its own can be known again, and is kept as an entry. */
function hasIdentity({ kind, messageId, boot, sequence }: DeviceReport): boolean {
  if (kind !== 'switch' && kind !== 'reading') return true
  return messageId !== undefined || (boot !== undefined && sequence !== undefined)
}

const nameless: Unusable = { reason: 'invalid', detail: 'missing: a message id, or boot and sequence' }

function macAddressOf(given: GivenReport): string | undefined {
  const device: unknown = given?.device
  return isRecord(device) && typeof device.macAddress === 'string' ? device.macAddress : undefined
}
