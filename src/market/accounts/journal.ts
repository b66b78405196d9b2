import { z } from 'zod'
import { defineAppendOnlyEntity, type EntityRule, type Stored } from '../../core/entity.js'
import { objectId } from '../../core/fields.js'
import { exactDecimal, moneyPlaces, unitsIn } from '../decimal.js'
import { type Counter, counters } from './account.js'

/** What a line of a journal books. */
export const journalReasons = ['reserve', 'release', 'trade', 'fee', 'penalty', 'transfer', 'correction'] as const
export type JournalReason = (typeof journalReasons)[number]

/** More than a batch of the matcher comes to. */
const mostLines = 20_000

/** What a batch of bookings moved, in the order in which it did: written once, and chained to the journal before it. */
export const journalEntity = defineAppendOnlyEntity({
  name: 'market journal',
  collection: 'market_journals',
  personal: 'none',
  fields: {
    /** The area whose accounts it moves. */
    area: objectId(),
    /** Its number in the area, from 1 on, without a gap. */
    sequence: z.int().min(1),
    /** When it was written. */
    at: z.date(),
    /** What it moves. Debits and credits come to the same, of what is pending and of what is posted. */
    lines: z
      .array(
        z.strictObject({
          /** The account. */
          account: objectId(),
          /** Which of its counters. */
          counter: z.enum(counters),
          /** By how much; negative where something pending is resolved. */
          amount: exactDecimal(moneyPlaces),
          /** Why. */
          reason: z.enum(journalReasons),
          /** The order, transaction or settlement that it is for. */
          subject: objectId(),
        }),
      )
      .min(1)
      .max(mostLines),
    /** The hash of the journal before it, in hexadecimal; zeros if there is none. */
    previousHash: z.string().regex(/^[0-9a-f]{64}$/),
    /** SHA-256 of everything above, in hexadecimal; see docs/market.md. */
    hash: z.string().regex(/^[0-9a-f]{64}$/),
  },
  shardKey: { area: 1 },
  rules: [balanced('debitsPending', 'creditsPending'), balanced('debitsPosted', 'creditsPosted')],
  indexes: [
    {
      key: { area: 1, sequence: 1 },
      unique: true,
      serves: 'the journals of an area in their order, one for each number',
    },
    { key: { area: 1, 'lines.subject': 1 }, serves: 'what was booked for an order or a transaction' },
  ],
})

export type MarketJournal = Stored<typeof journalEntity>
export type JournalLine = MarketJournal['lines'][number]

function balanced(debits: Counter, credits: Counter): EntityRule {
  const sumOf = (counter: Counter) => ({
    $sum: {
      $map: { input: '$lines', in: { $cond: [{ $eq: ['$$this.counter', counter] }, '$$this.amount', 0] } },
    },
  })
  return {
    path: 'lines',
    message: `expected ${debits} and ${credits} to come to the same`,
    check: ({ lines }) => {
      const [left, right] = [debits, credits].map((counter) => sumOfLines(lines, counter))
      return left !== undefined && left === right
    },
    expression: { $eq: [sumOf(debits), sumOf(credits)] },
  }
}

function sumOfLines(lines: unknown, counter: string): bigint | undefined {
  if (!Array.isArray(lines)) return undefined
  let sum = 0n
  for (const line of lines as Record<string, unknown>[]) {
    const amount = unitsIn(line, 'amount', moneyPlaces)
    if (amount === undefined) return undefined
    if (line.counter === counter) sum += amount
  }
  return sum
}
