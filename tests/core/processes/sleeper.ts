import { setTimeout as sleep } from 'node:timers/promises'
import { AutoVolt } from '../../../src/autovolt.js'
import { DatabaseError } from '../../../src/core/errors.js'
import { Lease } from '../../../src/core/lease.js'
import { tellParent } from '../../support/parent.js'

const volt = await AutoVolt.open({ uri: process.env.MONGODB_URI ?? '', dbName: process.env.DB_NAME ?? '' })
const name = process.env.LEASE ?? ''
const lease = new Lease(volt.database, { name, durationMs: 1_000 })
await lease.acquire()

/** Writes under the lease, over and over; does not ask again whether it is held. */
async function write(room: string): Promise<void> {
  await volt.transaction(async () => {
    await lease.guard()
    await volt.classrooms.create({ name: room })
  })
}

try {
  await write('by the sleeper')
  tellParent({ type: 'holding' })
  // Here it is stopped, and wakes when another holds the lease.
  for (let time = 0; ; time += 1) {
    await sleep(10)
    const isLate = (await volt.database.native.collection('leases').findOne({ name }))?.fence === 2
    await write(isLate ? 'by the sleeper, too late' : `by the sleeper ${time}`)
  }
} catch (error) {
  tellParent({ type: 'refused', code: error instanceof DatabaseError ? error.code : String(error) })
}
await volt.close()
