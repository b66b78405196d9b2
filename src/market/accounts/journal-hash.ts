import { createHash } from 'node:crypto'
import type { MarketJournal } from './journal.js'

/**
 * SHA-256 of a journal: of the JSON text of `[area, sequence, at, lines, previousHash]` without spaces, each line as
 * `[account, counter, amount, reason, subject]`; ids and hashes in hexadecimal, instants as ISO 8601 in UTC, amounts with 6 decimals.
 */
export function journalHashOf({
  area,
  sequence,
  at,
  lines,
  previousHash,
}: Omit<MarketJournal, '_id' | 'hash'>): string {
  const rows = lines.map(({ account, counter, amount, reason, subject }) => [
    account.toHexString(),
    counter,
    amount.toString(),
    reason,
    subject.toHexString(),
  ])
  const text = JSON.stringify([area.toHexString(), sequence, at.toISOString(), rows, previousHash])
  return createHash('sha256').update(text).digest('hex')
}
