import type { ObjectId } from 'mongodb'
import type { LedgerEntry, LedgerEvent } from '../../ledger/entry/entry.js'
import type { FactEntry } from '../../ledger/facts/fact.js'

/** What registers have for a boot: after whatever devices call theirs, so that of one instant the register counts. */
export const registerBoot = '~registers'
/** ms; the register at whose instant nothing is known any more holds no longer than an entry must. */
const shortestHoldMs = 1000

/** What a register says: the mean power from its instant on. */
export interface RegisterValue {
  /** W */
  readonly powerW: number
  /** ms; how long it holds. */
  readonly gapLimitMs: number
  readonly isEstimated: boolean
}

/** A register as the ledger has it; a later revision takes the place of those before. */
export interface Register extends RegisterValue {
  readonly atMs: number
  readonly revision: number
}

/** The register that ends the one before it, where nothing is known from then on. */
export const ending: RegisterValue = { powerW: 0, gapLimitMs: shortestHoldMs, isEstimated: false }

/** A mean power over a time, ms, that comes to exactly this energy, whole mW·s. */
export function meanPower(energyMws: number, durationMs: number, isEstimated: boolean): RegisterValue {
  // W × ms = mW·s. Adding zero turns the -0 of a division into 0.
  const powerW = energyMws / durationMs + 0
  return { powerW, gapLimitMs: Math.max(durationMs, shortestHoldMs), isEstimated }
}

export function isSameValue(a: RegisterValue, b: RegisterValue): boolean {
  return a.powerW === b.powerW && a.gapLimitMs === b.gapLimitMs && a.isEstimated === b.isEstimated
}

export function isRegister({ metadata }: Pick<FactEntry, 'metadata'>): boolean {
  return metadata.bootId === registerBoot
}

type StoredRegister = Pick<FactEntry, 'timestamp' | 'reading' | 'gapLimitMs' | 'metadata'> & Pick<LedgerEntry, 'flags'>

/** The register that an entry is. */
export function registerOf({ timestamp, reading, gapLimitMs, flags, metadata }: StoredRegister): Register {
  return {
    atMs: timestamp.getTime(),
    revision: metadata.deviceSequence ?? 0,
    powerW: reading?.powerW ?? 0,
    gapLimitMs,
    isEstimated: flags.includes('estimated'),
  }
}

/** Register context: what an entry says beside the register. */
export interface RegisterContext {
  readonly switchId: ObjectId
  readonly deviceId: ObjectId
  readonly classroom: ObjectId
  /** W */
  readonly powerRating: number
  readonly ratePerKwh: number
  readonly receivedAt: Date
}

/** The ledger's event for a register. */
export function registerEvent(
  { atMs, revision, powerW, gapLimitMs, isEstimated }: Register,
  context: RegisterContext,
): LedgerEvent {
  const timestamp = new Date(atMs)
  return {
    ...context,
    timestamp,
    eventType: 'power_reading',
    powerState: powerW !== 0,
    energySource: 'power',
    reading: { powerW },
    gapLimitMs,
    flags: isEstimated ? ['estimated'] : [],
    metadata: { source: 'calculated', bootId: registerBoot, deviceSequence: revision },
    idempotencyKey: `quarter:${context.switchId.toHexString()}:${timestamp.toISOString()}:${revision}`,
  }
}
