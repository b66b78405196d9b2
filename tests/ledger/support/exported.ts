import { type ConsistencyProof, generateLogKeys, type InclusionProof, type LogKeys } from '@autovolt/data/ledger'
import type { TestDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { anEvent, aSwitchInLedger, at, readings } from './events.js'

export const exportedOrigin = 'school.example/exported'

export interface ExportedLedger {
  readonly keys: LogKeys
  /** The file, with personal data. */
  readonly text: string
  readonly firstCheckpoint: string
  readonly inclusion: InclusionProof
  readonly consistency: ConsistencyProof
}

/** A ledger of three chains that grew over two checkpoints, with personal data and an erasure, as the library exports it. */
export async function exportedLedger(database: TestDatabase): Promise<ExportedLedger> {
  const keys = generateLogKeys(exportedOrigin)
  const volt = await openVolt(database, { ledgerLog: { signerKeys: [keys.signerKey] } })
  await volt.setup()
  const [rated, metered, other] = [aSwitchInLedger(), aSwitchInLedger(), aSwitchInLedger()]
  await volt.ledger.append([...readings(3, metered, 'first'), ...readings(2, other, 'first')])
  const first = await volt.ledger.checkpoint()
  const on = { ...rated, energySource: 'rated', reading: undefined, eventType: 'switch_on' } as const
  const appended = await volt.ledger.append([
    { ...anEvent(on), notes: 'Ana’s “lamp”\n🙂' },
    { ...anEvent({ ...on, timestamp: at(60) }), personal: { teacher: 'Ana' } },
    ...readings(4, metered, 'second').map((event) => ({ ...event, timestamp: at(600) })),
  ])
  await volt.ledger.erasePersonalData(appended[1]!.entry._id)
  const last = await volt.ledger.checkpoint()
  let text = ''
  for await (const piece of volt.ledger.export({ personalData: true })) text += piece
  return {
    keys,
    text,
    firstCheckpoint: first.checkpoint!.note,
    inclusion: await volt.ledger.proveInclusion(appended[0]!.entry._id),
    consistency: await volt.ledger.proveConsistency(first.checkpoint!.size, last.checkpoint!.size),
  }
}
