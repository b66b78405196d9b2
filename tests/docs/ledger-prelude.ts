// What the snippets about the ledger take for granted: a device with entries, and a checkpoint that covers them.
import type { AutoVolt, Device, LedgerEventInput } from '@autovolt/data'
import type { LedgerEntry } from '@autovolt/data/ledger'

export interface LedgerPrelude {
  readonly device: Device
  readonly event: Omit<LedgerEventInput, 'idempotencyKey'>
  readonly entry: LedgerEntry
}

export async function fillLedger(volt: AutoVolt): Promise<LedgerPrelude> {
  const room = (await volt.classrooms.findOne({})) as { readonly _id: Device['_id'] }
  const device = await volt.devices.create({
    name: 'Relay box',
    macAddress: 'AA:BB:CC:DD:EE:0F',
    classroom: room._id,
    switches: [{ name: 'Lights', gpio: 16, powerRating: 60 }],
  })
  const event: LedgerPrelude['event'] = {
    switchId: device.switches[0]?._id ?? '',
    deviceId: device._id,
    classroom: room._id,
    timestamp: '2026-11-21T09:00:00Z',
    receivedAt: '2026-11-21T09:00:00Z',
    eventType: 'switch_on',
    powerState: true,
    powerRating: 60,
    energySource: 'rated',
    gapLimitMs: 60_000,
    ratePerKwh: 7.5,
    flags: [],
    metadata: { source: 'api' },
  }
  const appended = await volt.ledger.append(['1', '2', '3'].map((idempotencyKey) => ({ ...event, idempotencyKey })))
  await volt.ledger.checkpoint()
  return { device, event, entry: appended[0]?.entry as LedgerEntry }
}
