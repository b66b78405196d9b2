import type { ObjectId } from 'mongodb'
import type { Database } from '../../core/database.js'
import { NotFoundError } from '../../core/errors.js'
import type { MarketCollections } from '../collections.js'
import { moneyPlaces, textOf, unitsOf } from '../decimal.js'
import { type Counter, counters } from './account.js'
import { journalHashOf } from './journal-hash.js'

const mostFindings = 100

/** Books report: what adding the books of an area up has shown. */
export interface BooksReport {
  readonly isValid: boolean
  /** How many journals there are. */
  readonly journals: number
  readonly accounts: number
  /** What is wrong, in sentences: the first 100. */
  readonly findings: readonly string[]
}

type Sums = Record<Counter, bigint>

/**
 * Reads all journals of an area as of one moment: whether each follows the one before and has the hash of what it says, and whether accounts have
 * what journals have moved. Work and time grow with the journals, memory with the accounts.
 */
export async function verifyBooks(
  database: Database,
  collections: MarketCollections,
  area: ObjectId,
): Promise<BooksReport> {
  return database.inSnapshot(async () => {
    const head = await collections.areas.for('verify').findOne({ _id: area })
    if (head === null) throw new NotFoundError('market area', `id ${area.toHexString()}`)
    const findings: string[] = []
    const sums = new Map<string, Sums>()
    let last = { sequence: 0, hash: '0'.repeat(64) }
    for await (const journal of collections.journals
      .for('verify')
      .stream({ area }, { sort: { area: 1, sequence: 1 } })) {
      const { sequence, previousHash, hash, lines } = journal
      if (sequence !== last.sequence + 1) findings.push(`There is no journal ${last.sequence + 1}`)
      else if (previousHash !== last.hash) findings.push(`The journal ${sequence} does not follow the one before it`)
      if (journalHashOf(journal) !== hash)
        findings.push(`The journal ${sequence} does not have the hash of what it says`)
      for (const { account, counter, amount } of lines) {
        const sum = sumsOf(sums, account.toHexString())
        sum[counter] += unitsOf(amount, moneyPlaces)
      }
      last = { sequence, hash }
    }
    if (head.journalSequence !== last.sequence || head.journalHash !== last.hash)
      findings.push(`The last journal is not ${head.journalSequence} with the hash that the area has`)
    let accounts = 0
    for await (const account of collections.accounts.for('verify').stream({ area })) {
      accounts += 1
      const id = account._id.toHexString()
      const sum = sumsOf(sums, id)
      sums.delete(id)
      for (const counter of counters) {
        const units = unitsOf(account[counter], moneyPlaces)
        if (units === sum[counter]) continue
        const [has, comesTo] = [units, sum[counter]].map((value) => textOf(value, moneyPlaces))
        findings.push(`The account ${id} has ${counter} of ${has}, and its journals come to ${comesTo}`)
      }
    }
    for (const id of sums.keys()) findings.push(`There is no account ${id}, which journals have moved`)
    const shown = findings.slice(0, mostFindings)
    return { isValid: findings.length === 0, journals: last.sequence, accounts, findings: shown }
  })
}

function sumsOf(sums: Map<string, Sums>, account: string): Sums {
  const known = sums.get(account) ?? { debitsPending: 0n, debitsPosted: 0n, creditsPending: 0n, creditsPosted: 0n }
  sums.set(account, known)
  return known
}
