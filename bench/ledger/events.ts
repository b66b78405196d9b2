import { randomBytes } from 'node:crypto'
import type { AutoVolt, LedgerEventInput } from '@autovolt/data'
import { Binary, Double, ObjectId } from 'mongodb'

/** A switch as its events name it. */
export interface BenchSwitch {
  readonly switchId: ObjectId
  readonly deviceId: ObjectId
  readonly classroom: ObjectId
}

export function someSwitches(count: number): BenchSwitch[] {
  return Array.from({ length: count }, () => ({
    switchId: new ObjectId(),
    deviceId: new ObjectId(),
    classroom: new ObjectId(),
  }))
}

/** Readings of power meters as they are taken, one of each switch after the other. */
export class EventSource {
  readonly #switches: readonly BenchSwitch[]
  readonly #name: string
  #serial = 0
  #atMs = 0

  constructor(switches: readonly BenchSwitch[], name = randomBytes(6).toString('hex')) {
    this.#switches = switches
    this.#name = name
  }

  next(count: number): LedgerEventInput[] {
    return Array.from({ length: count }, () => this.#event(this.#serial++))
  }

  #event(n: number): LedgerEventInput {
    const round = Math.floor(n / this.#switches.length)
    // No meter takes two readings in one millisecond, however fast they are made here.
    if (n % this.#switches.length === 0) this.#atMs = Math.max(this.#atMs + 1, Date.now())
    const at = new Date(this.#atMs)
    return {
      ...(this.#switches[n % this.#switches.length] as BenchSwitch),
      timestamp: at,
      receivedAt: at,
      eventType: 'power_reading',
      powerState: true,
      powerRating: 60,
      energySource: 'power',
      reading: { powerW: 55 + (n % 10) },
      gapLimitMs: 60_000,
      ratePerKwh: 7.5,
      flags: [],
      metadata: {
        source: 'mqtt',
        voltage: 230.1,
        current: 0.26,
        powerFactor: 0.97,
        bootId: 'b1',
        deviceSequence: round,
      },
      idempotencyKey: `v2:${this.#name}-${n}`,
    }
  }
}

/** A collection with the ledger's indexes and write concern, for the plain driver. */
export async function plainLedger(volt: AutoVolt) {
  const { indexes } = volt.entityOf('ledger')
  const plain = volt.database.native.collection('plain_ledger', { writeConcern: { w: 'majority', journal: true } })
  await plain.createIndexes(
    indexes.map(({ key, serves, ...options }) => ({ key: key as Record<string, 1>, ...(options as object) })),
  )
  return plain
}

let serial = 0

/** The document that an entry is stored as, made beforehand: no hashing, no chain. */
export function storedLike(event: LedgerEventInput) {
  const sequence = ++serial
  const { flags, metadata, idempotencyKey, reading, ...rest } = event
  return {
    _id: new ObjectId(),
    formatVersion: new Double(1),
    ...rest,
    sequence: new Double(sequence),
    powerRating: new Double(60),
    reading: { powerW: new Double(reading?.powerW ?? 0) },
    gapLimitMs: new Double(60_000),
    ratePerKwh: new Double(7.5),
    flags,
    metadata: {
      source: 'mqtt',
      voltage: new Double(230.1),
      current: new Double(0.26),
      powerFactor: new Double(0.97),
      bootId: 'b1',
      deviceSequence: new Double(sequence),
    },
    idempotencyKey,
    cumulativeEnergy: new Double(sequence * 300),
    cumulativeProduction: new Double(0),
    calculatedCost: new Double(sequence * 0.0006),
    previousHash: new Binary(randomBytes(32)),
    hash: new Binary(randomBytes(32)),
  }
}
