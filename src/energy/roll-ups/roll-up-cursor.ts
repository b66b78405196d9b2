import type { ObjectId } from 'mongodb'
import { z } from 'zod'
import type { EntityCollection } from '../../core/collection/entity-collection.js'
import type { StoreWrite } from '../../core/collection/store-query.js'
import { defineEntity, type Stored } from '../../core/entity.js'
import { objectId, quantity } from '../../core/fields.js'
import type { Fact } from '../../ledger/facts/fact.js'
import type { SwitchMeter } from '../../ledger/facts/switch-meter.js'

const sequence = () => z.int().min(0).max(Number.MAX_SAFE_INTEGER)
const watts = () => quantity(-1e9, 1e9)
const wattHours = () => quantity(0, 1e15)
/** Epoch milliseconds. */
const instantMs = () => z.int().min(-8.64e15).max(8.64e15)

/** A {@link Fact}, with its own names. */
const fact = z.strictObject({
  source: z.enum(['counter', 'power', 'rated']),
  isProduction: z.boolean(),
  deviceId: objectId(),
  classroom: objectId(),
  atMs: instantMs(),
  boot: z.string().max(64).optional(),
  sequence: sequence().optional(),
  digest: z.string().max(200).optional(),
  on: z.boolean().optional(),
  isRestart: z.boolean().optional(),
  powerW: watts().optional(),
  ratedPowerW: watts(),
  energyWh: wattHours(),
  counter: z
    .strictObject({ quantumWh: wattHours(), widthWh: wattHours().optional(), maximumPowerW: watts() })
    .optional(),
  gapLimitMs: quantity(0, 1e9),
  silentSinceMs: instantMs().optional(),
  ratePerKwh: quantity(-1e6, 1e6),
  entrySequence: sequence().optional(),
} satisfies Record<keyof Fact, z.ZodType>)

/** Roll-up cursor: how far the entries of a switch are in the roll-ups. Its `_id` is the switch's. */
export const rollUpCursorEntity = defineEntity({
  name: 'roll-up cursor',
  collection: 'rollup_cursors',
  personal: 'none',
  fields: {
    /** The sequence number of the last entry that is in them. */
    through_sequence: sequence(),
    /** The newest fact among these entries, by time, of a rated switch with its state then; left out where there is none. */
    last_fact: fact.optional(),
    /** Whether the last readings of a counter among these entries wait for later ones. */
    is_pending: z.boolean().default(false),
    /** What happened up to here is not known: its entries were archived before they were in the roll-ups. */
    unknown_until: z.date().optional(),
  },
})

export type RollUpCursor = Stored<typeof rollUpCursorEntity>

/** Chain progress: how far a chain is in the roll-ups, and how its meter stands there. */
export interface ChainProgress {
  /** 0 where nothing of it is in them. */
  readonly through: number
  /** The newest fact, by time; undefined where there is none, or it was not read. */
  readonly lastFact: Fact | undefined
  readonly isPending: boolean
  readonly unknownUntil: Date | undefined
}

export const noProgress: ChainProgress = {
  through: 0,
  lastFact: undefined,
  isPending: false,
  unknownUntil: undefined,
}

/** The progress of a chain that is read through an entry. @param meter The one that stands there; undefined if no fact was new. */
export function progressTo(before: ChainProgress, through: number, meter: SwitchMeter | undefined): ChainProgress {
  if (meter === undefined) return { ...before, through }
  return { ...before, through, lastFact: meter.end, isPending: meter.isPending }
}

/**
 * The progress of chains, all or those of some switches, by the switch's id in hexadecimal. The newest fact is read only
 * where something goes on after it: a state of a rated switch, or readings that wait.
 */
export async function readProgress(
  cursors: EntityCollection<RollUpCursor>,
  switchIds?: readonly ObjectId[],
): Promise<Map<string, ChainProgress>> {
  const filter = switchIds === undefined ? {} : { _id: { $in: [...switchIds] } }
  const goesOn = { $or: ['$is_pending', { $eq: ['$last_fact.source', 'rated'] }] }
  const last_fact = { $cond: [goesOn, '$last_fact', '$$REMOVE'] }
  const projection = { through_sequence: 1, is_pending: 1, unknown_until: 1, last_fact }
  const found = await cursors.find(filter, { projection, batchSize: 10_000 })
  return new Map(found.map((cursor) => [cursor._id.toHexString(), progressOf(cursor)]))
}

/** The newest facts that roll-ups have of some switches, by the switch's id in hexadecimal. */
export async function readLastFacts(
  cursors: EntityCollection<RollUpCursor>,
  switchIds: readonly ObjectId[],
): Promise<Map<string, Fact>> {
  if (switchIds.length === 0) return new Map()
  const found = await cursors.find(
    { _id: { $in: [...switchIds] } },
    { projection: { last_fact: 1 }, batchSize: 10_000 },
  )
  return new Map(found.flatMap(({ _id, last_fact }) => (last_fact ? [[_id.toHexString(), factOf(last_fact)]] : [])))
}

function progressOf(cursor: RollUpCursor): ChainProgress {
  return {
    through: cursor.through_sequence,
    lastFact: cursor.last_fact && factOf(cursor.last_fact),
    isPending: cursor.is_pending,
    unknownUntil: cursor.unknown_until,
  }
}

function factOf(stored: NonNullable<RollUpCursor['last_fact']>): Fact {
  return {
    ...stored,
    on: stored.on,
    powerW: stored.powerW,
    counter: stored.counter,
    entrySequence: stored.entrySequence,
  }
}

/** The progress of a chain, before and after. */
export interface CursorChange {
  readonly switchId: ObjectId
  /** The last entry that was in the roll-ups; 0 if none was. */
  readonly from: number
  readonly to: ChainProgress
}

export function cursorWrite({ switchId, from, to }: CursorChange): StoreWrite<RollUpCursor> {
  const fields = {
    through_sequence: to.through,
    last_fact: to.lastFact,
    is_pending: to.isPending,
    unknown_until: to.unknownUntil,
  }
  if (from === 0) return { insert: { _id: switchId, ...fields } }
  return { update: { _id: switchId }, by: { $set: fields } }
}
