import { expect, it } from 'vitest'
import { startChild } from '../support/child.js'
import { testDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()
const alerts = database.db.collection('alerts')
const [doors, turns] = [5, 40]

it('is opened and closed once for each change of state by four processes that see all of them, of which two are killed', async () => {
  const volt = await openVolt(database)
  await volt.setup()
  const startObserver = async (longestPauseMs: number) => {
    const known = { MONGODB_URI: database.uri, DB_NAME: database.dbName }
    const env = { ...known, DOORS: String(doors), TURNS: String(turns), LONGEST_PAUSE_MS: String(longestPauseMs) }
    const child = startChild(new URL('./processes/observer.ts', import.meta.url), { env })
    await child.next('ready', 120_000)
    child.send({ type: 'go' })
    return child
  }
  const children = await Promise.all([0, 5, 20, 40].map(startObserver))
  const opened = (count: number) =>
    eventually('alerts are opened', async () => (await alerts.countDocuments({})) >= count, { timeoutMs: 60_000 })
  await opened(20)
  await children[0]?.kill()
  await opened(60)
  await children[2]?.kill()
  // What begins anew has seen nothing of it, and says all of it again.
  const again = await Promise.all([0, 10].map(startObserver))
  for (const child of [children[1], children[3], ...again]) await child?.next('done', 240_000)
  const found = await alerts.find().sort({ key: 1, sequence: 1 }).toArray()
  expect(found).toHaveLength(doors * turns)
  for (const [place, alert] of found.entries()) {
    const turn = place % turns
    const timestamp = new Date(Date.parse('2026-03-02T08:00:00Z') + turn * 600_000)
    expect(alert).toMatchObject({ sequence: turn + 1, timestamp, occurrences: 2, resolved: true, resolveMs: 120_000 })
    // Opened, counted and closed: three writes, whoever made them.
    expect(alert.__v).toBe(2)
  }
}, 420_000)
