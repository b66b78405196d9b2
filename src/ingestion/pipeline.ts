import type { Note } from './note.js'
import type { RawMessage } from './raw-message.js'
import type { DeviceReport, Unusable } from './report.js'

/** Ingestion counters: what has become of messages, since the start. */
export class IngestionCounters {
  processed = 0
  /** New ledger entries. */
  entries = 0
  /** Events whose entry was there already. */
  repeated = 0
  quarantined = 0
  /** Messages on topics that no decoder of their session has. */
  ignored = 0
  /** Messages that were taken without some of their values. */
  notes = 0
  lastNote: Note | null = null

  note(notes: readonly Note[]): void {
    this.notes += notes.length
    this.lastNote = notes.at(-1) ?? this.lastNote
  }
}

/** A message with the reports that its decoder made of it, as far as they can be used. */
export interface Decoded<Message extends RawMessage = RawMessage> {
  readonly message: Message
  readonly decoding: { readonly reports: readonly DeviceReport[] } | Unusable
}

type Naming = Pick<DeviceReport, 'device' | 'credential'>

/** Which devices the messages name, and what they show of them: also those that cannot be used. */
export function namedBy(batch: readonly Decoded[]): Naming[] {
  return batch.flatMap(({ decoding }): readonly Naming[] => {
    if ('reports' in decoding) return decoding.reports
    const { macAddress } = decoding
    return macAddress === undefined ? [] : [{ device: { macAddress }, credential: { kind: 'none' } }]
  })
}

/** What the messages report, in one list. */
export function reportsOf(batch: readonly Decoded[]): DeviceReport[] {
  return batch.flatMap(({ decoding }) => ('reports' in decoding ? decoding.reports : []))
}
