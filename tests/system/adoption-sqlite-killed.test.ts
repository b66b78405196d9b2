import { MongoClient } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { startBackupServer } from '../backup/support/server.js'
import { payment, SolchainFile, trade, traders } from '../migrations/adoption/solchain-file.js'
import { startChild } from '../support/child.js'
import { full } from '../support/extent.js'

const program = new URL('../migrations/adoption/adopt-worker.ts', import.meta.url)
const rows = 1_700
const kills = full ? 8 : 4
// The transaction of a killed process holds its documents for a minute otherwise.
const server = await startBackupServer(['--setParameter', 'transactionLifetimeLimitSeconds=3'])

/** Adopts the file in a process of its own. @returns how many commands it has sent; undefined if it was killed. */
async function adopt(file: SolchainFile, dbName: string, killAt = ''): Promise<number | undefined> {
  const env = { MONGODB_URI: server.uri, DB_NAME: dbName, FROM: 'solchain', SQLITE: file.path, KILL_AT: killAt }
  await using worker = startChild(program, { env })
  await worker.next('ready', 100_000)
  worker.send({ type: 'run' })
  const ended = await Promise.race([
    worker.exit.then(() => undefined),
    worker.next('done', 300_000).catch(() => undefined),
  ])
  expect(ended?.message).toBeUndefined()
  return ended === undefined ? undefined : Number(ended.commands)
}

/** What the adoption has made, but for when, and how often it has noted it. */
async function madeIn(dbName: string) {
  await using client = await MongoClient.connect(server.uri)
  const made: Record<string, string[]> = {}
  for (const name of [
    'users',
    'market_areas',
    'market_orders',
    'market_transactions',
    'adoption_rejects',
    'adoption_extras',
  ]) {
    const documents = await client.db(dbName).collection(name).find().toArray()
    made[name] = documents
      .map(({ _id, __v, updatedAt, runAt, ...rest }) =>
        JSON.stringify(
          name === 'market_orders' || name === 'market_transactions' ? { _id, ...rest } : { ...rest, createdAt: 0 },
        ),
      )
      .toSorted()
  }
  return made
}

describe('the adoption of a file that is killed again and again', () => {
  it('ends with what one run makes, each row once', async () => {
    const ids = Array.from({ length: rows }, (_, at) => at + 1)
    const file = new SolchainFile()
      .add('users', traders)
      .add(
        'trading',
        ids.map((id) => trade(id, id % 100 === 0 ? { total_price: 9 } : {})),
      )
      .add(
        'transactions',
        ids.map((id) => payment(id, id)),
      )
    const commands = (await adopt(file, 'in_one_run')) ?? 0
    let killed = 0
    // A run after others passes over what they have written, so it has less to do: the places move on, and the last are not reached.
    for (let at = 1; at <= kills; at += 1) {
      const place = Math.ceil((commands * at) / (kills + 6))
      if ((await adopt(file, 'killed', String(place))) === undefined) killed += 1
    }
    expect(killed).toBeGreaterThanOrEqual(3)
    await adopt(file, 'killed')
    const made = await madeIn('killed')
    expect(made.market_orders).toHaveLength(rows - rows / 100)
    expect(made.market_transactions).toHaveLength(rows - rows / 100)
    expect(made).toEqual(await madeIn('in_one_run'))
  }, 1_200_000)
})
