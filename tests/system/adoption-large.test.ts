import { describe, expect, it } from 'vitest'
import { loadLargeOrigin } from '../migrations/adoption/large-origin.js'
import { expectedTotals } from '../migrations/adoption/origin-data.js'
import { startChild } from '../support/child.js'
import { testDatabase } from '../support/database.js'
import { full } from '../support/extent.js'
import type { ChildMessage } from '../support/inbox.js'
import { openVolt } from '../support/volt.js'

const program = new URL('../migrations/adoption/adopt-worker.ts', import.meta.url)
const schools = full ? 200 : 10
/** MB; what its memory may take, whatever the number of schools. */
const heapMb = 256

describe('a large database', () => {
  it('is adopted to the same figures for each school, in memory that does not grow with them', async () => {
    const [origin, target] = [testDatabase(), testDatabase()]
    await loadLargeOrigin(origin.db, schools)
    const env = {
      MONGODB_URI: target.uri,
      DB_NAME: target.dbName,
      FROM: origin.dbName,
      NODE_OPTIONS: `--max-old-space-size=${heapMb}`,
    }
    await using worker = startChild(program, { env })
    await worker.next('ready', 100_000)
    worker.send({ type: 'run' })
    const done = await worker.next<Figures>('done', 3_000_000)
    expect(done.message).toBeUndefined()
    const { entries, durationMs, mostHeapBytes } = done
    console.info(
      `${schools} schools: ${entries} entries in ${Math.round(durationMs / 1000)} s, ${Math.round((entries * 1000) / durationMs)} entries/s, ${Math.round(mostHeapBytes / 2 ** 20)} MB of heap at most`,
    )
    expect(mostHeapBytes).toBeLessThan(heapMb * 2 ** 20)
    const volt = await openVolt(target)
    expect(await target.db.collection('devices').countDocuments()).toBe(5 * schools)
    expect(await target.db.collection('power_consumption_ledger').countDocuments()).toBe(163 * schools)
    expect(await target.db.collection('energy_measurements').countDocuments()).toBe(32 * schools)
    const days = await volt.energy.dailyByClassroom({ from: '2025-10-28', to: '2025-11-20' })
    const kwh = days.reduce((sum, one) => sum + one.energyKwh, 0)
    const ofSwitches = expectedTotals.per_switch.reduce((sum, one) => sum + one.mws, 0) / 3.6e9
    // What is known of devices as a whole on days that nothing covers in more detail.
    const ofDevices = (120 + 50 + 30 + 2133.5 + 65.866_667) / 1000
    expect(kwh).toBeCloseTo(schools * (ofSwitches + ofDevices), 3)
  }, 3_600_000)
})

interface Figures extends ChildMessage {
  readonly type: 'done'
  readonly entries: number
  readonly durationMs: number
  readonly mostHeapBytes: number
}
