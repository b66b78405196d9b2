import { describe, expect, it } from 'vitest'
import { expectAdopted } from '../migrations/adoption/expect-adopted.js'
import { loadOrigin } from '../migrations/adoption/origin-data.js'
import { startChild } from '../support/child.js'
import { type TestDatabase, testDatabase } from '../support/database.js'
import { full } from '../support/extent.js'
import { openVolt } from '../support/volt.js'

const program = new URL('../migrations/adoption/adopt-worker.ts', import.meta.url)
/** Of twenty places over a whole run, in an order that is not theirs. */
const places = 20
const kills = full ? places : 8

/** Adopts in a process of its own. @returns how many commands it has sent; undefined if it was killed. */
async function adopt(origin: TestDatabase, target: TestDatabase, killAt = ''): Promise<number | undefined> {
  const env = { MONGODB_URI: target.uri, DB_NAME: target.dbName, FROM: origin.dbName, KILL_AT: killAt }
  await using worker = startChild(program, { env })
  await worker.next('ready', 100_000)
  worker.send({ type: 'run' })
  const ended = await Promise.race([
    worker.exit.then(() => undefined),
    worker.next('done', 100_000).catch(() => undefined),
  ])
  expect(ended?.message).toBeUndefined()
  return ended === undefined ? undefined : Number(ended.commands)
}

describe(`an adoption that is killed ${kills} times`, () => {
  it('ends with what one run makes', async () => {
    const [origin, target] = [testDatabase(), testDatabase()]
    await loadOrigin(origin.db, 'autovolt')
    const commands = (await adopt(origin, testDatabase())) ?? 0
    let killed = 0
    // Later runs have less to do, so not all of these places are reached.
    for (let at = 1; at <= places * 2 && killed < kills; at += 1) {
      const place = Math.ceil((commands * ((at * 7) % places)) / places) + at
      if ((await adopt(origin, target, String(place))) === undefined) killed += 1
    }
    expect(killed).toBe(kills)
    await adopt(origin, target)
    await expectAdopted(await openVolt(target), target.db)
  }, 400_000)
})
