import { randomBytes, randomUUID } from 'node:crypto'
import { Binary, ObjectId } from 'mongodb'
import type { Activity } from '../../src/activity/activity.js'
import type { DeviceCommandInput } from '../../src/commands/command.js'
import { slotOf } from '../../src/commands/slot.js'
import type { Input } from '../../src/core/entity.js'
import type { leaseEntity } from '../../src/core/lease-entity.js'
import type { ClassroomInput } from '../../src/devices/classroom.js'
import type { DeviceInput } from '../../src/devices/device.js'
import type { cacheEntryEntity } from '../../src/energy/cache/cache-entry.js'
import type { DeviceConsumption } from '../../src/energy/consumption/device-consumption.js'
import type { PowerConsumptionInput } from '../../src/energy/consumption/power-consumption.js'
import type { EnergyMeasurement } from '../../src/energy/measurement/measurement.js'
import type { MeasurementMark } from '../../src/energy/measurement/measurement-mark.js'
import type { TelemetryEvent } from '../../src/energy/measurement/telemetry-event.js'
import type { RegisterMark } from '../../src/energy/register-marks/register-mark.js'
import { type CostVersionInput, DEFAULT_TARIFF } from '../../src/energy/tariffs/cost-version.js'
import type { PowerSettingsInput } from '../../src/energy/tariffs/power-settings.js'
import type { UserInput } from '../../src/identity/user.js'
import type { AlertInput } from '../../src/incidents/alerts/alert-input.js'
import type { IngestWindow } from '../../src/ingestion/ingest-window.js'
import type { StoredLifeSpan } from '../../src/ingestion/life/life-span-entity.js'
import type { QuarantinedMessageInput } from '../../src/ingestion/quarantine.js'
import type { LedgerEntry } from '../../src/ledger/entry/entry.js'
import { entryFormatVersion } from '../../src/ledger/entry/format-version.js'

const someHash = () => new Binary(randomBytes(32))
const hexDigits = (count: number) => randomBytes(count / 2).toString('hex')

/** Keys for secrets, under the names given; the first one seals. */
export function keyRing(...names: readonly string[]) {
  const [active = 'first', ...others] = names
  const keys = Object.fromEntries([active, ...others].map((name) => [name, keyNamed(name)]))
  return { active, keys }
}

/** The same key for the same name, so that two rings can share it. */
function keyNamed(name: string): Uint8Array {
  return Buffer.alloc(32, name)
}

export function aMacAddress(): string {
  // Of one device: the address of a group has the last bit of the first octet.
  return (`02${hexDigits(10)}`.toUpperCase().match(/../g) ?? []).join(':')
}

export function aUser(overrides: Partial<UserInput> = {}): UserInput {
  return { email: `user-${hexDigits(8)}@example.org`, name: 'Asha', ...overrides }
}

export function anAlert(overrides: Partial<AlertInput> = {}): AlertInput {
  return {
    key: `door:${hexDigits(12)}`,
    type: 'door_open',
    source: 'doors',
    severity: 'medium',
    message: 'The door is open',
    ...overrides,
  }
}

export function aClassroom(overrides: Partial<ClassroomInput> = {}): ClassroomInput {
  return {
    name: `Room ${hexDigits(8)}`,
    building: 'Main',
    floor: 1,
    capacity: 40,
    timeZone: 'Asia/Kolkata',
    ...overrides,
  }
}

type SwitchInput = NonNullable<DeviceInput['switches']>[number]

export function aSwitch(overrides: Partial<SwitchInput> = {}): SwitchInput {
  const { gpio = 16 } = overrides
  const name = gpio === 16 ? 'Fan' : `Fan ${gpio}`
  return { _id: new ObjectId(), name, gpio, powerRating: 75, energySource: 'rated', ...overrides }
}

export function aDevice(overrides: Partial<DeviceInput> = {}): DeviceInput {
  return {
    name: `Device ${hexDigits(8)}`,
    macAddress: aMacAddress(),
    classroom: new ObjectId(),
    switches: [aSwitch({ gpio: 16 }), aSwitch({ gpio: 17, name: 'Light' })],
    reportingPeriodMs: 5000,
    ...overrides,
  }
}

/** A command that is queued, to a device that is nowhere. */
export function aCommand(overrides: Partial<DeviceCommandInput> = {}): DeviceCommandInput {
  const device = new ObjectId()
  const at = new Date('2126-03-01T10:00:00Z')
  return {
    device,
    slot: slotOf(device),
    protocol: 'mqtt',
    target: 'switch:16',
    command: 'turn_on',
    parameters: { power: true },
    switchId: new ObjectId(),
    gpio: 16,
    state: true,
    status: 'queued',
    isOpen: true,
    isUnderWay: false,
    priority: 'normal',
    rankAt: at,
    attempts: 0,
    maximumAttempts: 3,
    expiresAt: at,
    ...overrides,
  }
}

export function powerSettings(overrides: Partial<PowerSettingsInput> = {}): PowerSettingsInput {
  return { name: 'default', electricityPrice: 7.5, currency: 'INR', ...overrides }
}

export function aCostVersion(overrides: Partial<CostVersionInput> = {}): CostVersionInput {
  return { tariff: DEFAULT_TARIFF, startsAt: new Date(0), currency: 'INR', pricePerKwh: 7.5, ...overrides }
}

/** 100 W for two hours, at 7.5 per kWh. */
export function aPowerConsumption(overrides: Partial<PowerConsumptionInput> = {}): PowerConsumptionInput {
  return {
    deviceId: new ObjectId(),
    switchId: new ObjectId(),
    classroom: new ObjectId(),
    startTime: new Date('2026-03-01T10:00:00Z'),
    endTime: new Date('2026-03-01T12:00:00Z'),
    duration: 7_200_000,
    powerRating: 100,
    energyConsumed: 200,
    cost: 1.5,
    ratePerKwh: 7.5,
    manualEntry: false,
    ...overrides,
  }
}

type IntervalFields = Omit<DeviceConsumption, '_id' | 'createdAt' | 'updatedAt' | '__v'>

/** 100 W for an hour, at 7.5 per kWh. */
export function anInterval(overrides: Partial<IntervalFields> = {}): IntervalFields {
  return {
    origin: 'ledger',
    device_id: new ObjectId(),
    esp32_name: 'Relay box 1',
    classroom: new ObjectId(),
    switch_id: new ObjectId(),
    switch_name: 'Fan',
    switch_type: 'fan',
    start_ts: new Date('2026-03-01T10:00:00Z'),
    end_ts: new Date('2026-03-01T11:00:00Z'),
    switch_on_duration_seconds: 3600,
    delta_wh: 100,
    energy_mws: 360_000_000,
    production_mws: 0,
    power_w: 100,
    cost_calculation: { cost_per_kwh: 7.5, amount: 0.75, currency: 'INR' },
    quality: { confidence: 'high', data_source: 'power_tracker' },
    ledger_entries: { first_sequence: 1, last_sequence: 2 },
    ...overrides,
  }
}

export function aQuarantinedMessage(overrides: Partial<QuarantinedMessageInput> = {}): QuarantinedMessageInput {
  const receivedAt = new Date('2026-03-01T10:00:00Z')
  return {
    topic: 'autovolt/telemetry',
    reason: 'not_json',
    detail: 'it ends after 3 bytes',
    shownPayload: '{"a',
    payloadBytes: 3,
    source: 'others',
    storedBytes: 900,
    digest: hexDigits(64),
    macAddress: aMacAddress(),
    receivedAt,
    lastReceivedAt: receivedAt,
    occurrences: 1,
    replays: 0,
    payload: '{"a',
    ...overrides,
  }
}

export function aLedgerCheckpoint() {
  return {
    size: 3,
    origin: 'school.example/energy',
    rootHash: hexDigits(64),
    note: 'school.example/energy\n3\n',
    signedAt: new Date('2026-03-01T10:00:00Z'),
  }
}

export function aLedgerTile() {
  return { level: 0, index: 0, hashes: someHash() }
}

export function aLedgerSegment() {
  return { switchId: new ObjectId(), firstSequence: 1, count: 2, firstLeaf: 0, lastHash: someHash() }
}

export function aLedgerAnchor() {
  return { name: 'file', size: 3, anchoredAt: new Date('2026-03-01T10:00:00Z'), failures: 0, lastError: 'it was full' }
}

export function aLedgerArchive() {
  const archivedAt = new Date('2026-03-01T10:00:00Z')
  return { fromSize: 0, size: 3, file: 'ledger-1.jsonl', sha256: hexDigits(64), archivedAt, note: 'a signed note\n' }
}

export function aLedgerSeam() {
  return {
    switchId: new ObjectId(),
    sequence: 2,
    hash: someHash(),
    deviceId: new ObjectId(),
    classroom: new ObjectId(),
    until: new Date('2026-03-01T10:00:00Z'),
  }
}

export function aQueuedWriter() {
  return { switchIds: [new ObjectId()], expiresAt: new Date('2026-03-01T10:00:00Z') }
}

export function somePersonalData() {
  return { switchId: new ObjectId(), commitment: someHash(), salt: someHash(), text: '{"notes":"x"}' }
}

export function aLedgerEntry(overrides: Partial<LedgerEntry> = {}): LedgerEntry {
  return {
    _id: new ObjectId(),
    formatVersion: entryFormatVersion,
    sequence: 1,
    switchId: new ObjectId(),
    deviceId: new ObjectId(),
    classroom: new ObjectId(),
    timestamp: new Date('2026-03-01T10:00:00Z'),
    receivedAt: new Date('2026-03-01T10:00:01Z'),
    eventType: 'power_reading',
    powerState: true,
    powerRating: 75,
    energySource: 'power',
    reading: { powerW: 73.5 },
    gapLimitMs: 300_000,
    ratePerKwh: 7.5,
    flags: [],
    metadata: { source: 'mqtt' },
    idempotencyKey: randomUUID(),
    cumulativeEnergy: 0,
    cumulativeProduction: 0,
    calculatedCost: 0,
    previousHash: new Binary(Buffer.alloc(32)),
    hash: someHash(),
    ...overrides,
  }
}

export function anActivity(overrides: Partial<Activity> = {}): Activity {
  return {
    _id: new ObjectId(),
    deviceId: new ObjectId(),
    switchId: new ObjectId(),
    classroom: new ObjectId(),
    action: 'switch_on',
    cause: 'manual',
    userId: 'u-1',
    userName: 'Asha',
    timestamp: new Date('2026-03-01T10:00:00Z'),
    receivedAt: new Date('2026-03-01T10:00:01Z'),
    idempotencyKey: randomUUID(),
    ...overrides,
  }
}

export function aLifeSpan(overrides: Partial<StoredLifeSpan> = {}): StoredLifeSpan {
  return {
    _id: new ObjectId(),
    device: new ObjectId(),
    from: new Date('2026-03-01T09:00:00Z'),
    to: new Date('2026-03-01T10:00:00Z'),
    boot: 'b-1',
    ...overrides,
  }
}

export function anIngestWindow(overrides: Partial<IngestWindow> = {}): IngestWindow {
  return {
    _id: new ObjectId(),
    session: `session-${hexDigits(8)}`,
    batch: 1,
    messages: ['17:0a1b2c'],
    storedAt: new Date('2026-03-01T10:00:00Z'),
    ...overrides,
  }
}

export function anIngestCounter(overrides: Partial<{ name: string; count: number }> = {}) {
  return { name: `dropped.${hexDigits(8)}`, count: 0, ...overrides }
}

export function anIngestSubscription() {
  return { session: `ingester-${hexDigits(8)}`, broker: 'mqtt://localhost:1883', filter: 'esp32/state' }
}

export function aCacheEntry(overrides: Partial<Input<typeof cacheEntryEntity>> = {}) {
  return {
    cacheKey: `peak_hours:${hexDigits(64)}`,
    cacheType: 'peak_hours',
    parameters: { from: '2026-03-01', classrooms: [new ObjectId()] },
    dependsOn: {
      fromDay: '2026-03-01',
      toDay: '2026-03-31',
      classrooms: [new ObjectId()],
      devices: [new ObjectId(), new ObjectId()],
    },
    data: [{ hour: 9, totalEnergy: 1.5, at: new Date('2026-03-01T09:00:00Z') }],
    // The server removes what has expired.
    expiresAt: new Date('2126-03-01T11:00:00Z'),
    lastUpdated: new Date('2026-03-01T10:00:00Z'),
    computationTime: 12.5,
    dataSize: 70,
    ...overrides,
  }
}

export function aLease(overrides: Partial<Input<typeof leaseEntity>> = {}) {
  return {
    name: `ingest.${hexDigits(8)}`,
    owner: randomUUID(),
    fence: 1,
    expiresAt: new Date('2026-03-01T10:00:00Z'),
    sessions: ['0123456789abcdef0123456789abcdef'],
    ...overrides,
  }
}

export function aRestoreJournal() {
  return {
    name: 'restore' as const,
    backupId: 'autovolt_backup_2026-03-01T10-00-00-000Z_0a1b2c',
    timeline: '0b6c3c2e-5d0f-4c1a-9d55-3f7a2c9e1d10',
    mode: 'new' as const,
    phase: 'closed' as const,
    collections: [{ name: 'devices', documents: 3, state: 'loaded' as const }],
    startedAt: new Date('2026-03-01T10:00:00Z'),
    closedAt: new Date('2026-03-01T10:05:00Z'),
  }
}

export function aBackupSchedule() {
  const lastSuccessAt = new Date('2026-03-01T10:05:00Z')
  return {
    name: 'backup' as const,
    everyMs: 86_400_000,
    lastStartedAt: new Date('2026-03-01T10:00:00Z'),
    lastSuccessAt,
    lastBackup: { id: 'autovolt_backup_2026-03-01T10-00-00-000Z_0a1b2c', bytes: 9e9, documents: 3, durationMs: 12.5 },
    failures: 1,
    lastFailureAt: new Date('2026-03-01T09:00:00Z'),
    lastError: 'the disk was full',
    lastDrillAt: lastSuccessAt,
  }
}

/** As an input can be: nobody gives a measurement that is `refused`. */
type GivenMeasurement = Omit<EnergyMeasurement, '_id' | 'quality'> & { quality: 'good' | 'poor' }

export function aMeasurement(fields: Partial<GivenMeasurement> = {}): GivenMeasurement {
  return {
    timestamp: new Date('2026-03-01T10:00:00Z'),
    meta: { device: new ObjectId(), switch: new ObjectId(), site: new ObjectId() },
    data_type: 'consumption',
    power: 61.5,
    quality: 'good',
    source: 'api',
    ...fields,
  }
}

export function aTelemetryEvent(fields: Partial<TelemetryEvent> = {}): Omit<TelemetryEvent, '_id'> {
  return {
    timestamp: new Date('2026-03-01T10:00:00Z'),
    received_at: new Date('2026-03-01T10:00:01Z'),
    meta: { device: new ObjectId() },
    type: 'sensor',
    name: 'temperature',
    value: 31.5,
    unit: '°C',
    source: 'api',
    ...fields,
  }
}

export function aMeasurementMark(): Pick<MeasurementMark, 'device' | 'timestamp' | 'identity' | 'validated'> {
  return { device: new ObjectId(), timestamp: new Date('2026-03-01T10:00:00Z'), identity: 'a', validated: true }
}

export function aRegisterMark(): Omit<RegisterMark, '_id' | 'createdAt' | 'updatedAt' | '__v'> {
  return {
    switchId: new ObjectId(),
    deviceId: new ObjectId(),
    quarter: new Date('2026-03-01T10:00:00Z'),
    dueAt: new Date('2026-03-01T10:20:00Z'),
    touches: 1,
  }
}
