import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/core/clock.js'
import { silentLogger } from '../../src/core/logger.js'
import { PeriodicWork } from '../../src/core/periodic.js'
import { setUpDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { openVolt } from '../support/volt.js'

const database = setUpDatabase()

describe('periodic work', () => {
  it('goes on after a turn that failed, and reports the failure until a turn ends well', async () => {
    const warnings: unknown[] = []
    const logger = { ...silentLogger, warn: (fields: object) => warnings.push(fields) }
    const periodic = new PeriodicWork(systemClock, logger)
    let turns = 0
    let isBroken = true
    const stop = periodic.start({
      name: 'sums',
      everyMs: 1,
      work: async () => {
        turns += 1
        if (isBroken) throw new Error('no')
      },
    })
    await eventually('two turns have failed', async () => turns >= 2)
    expect(periodic.status()).toMatchObject([{ name: 'sums', everyMs: 1, lastSuccessAt: null, lastError: 'no' }])
    expect(warnings[0]).toEqual({ work: 'sums', reason: 'no' })
    expect(periodic.status()[0]?.failures).toBe(turns)
    isBroken = false
    await eventually('a turn has ended well', async () => periodic.status()[0]?.lastError === null)
    expect(periodic.status()[0]?.lastSuccessAt).toBeInstanceOf(Date)
    await stop()
    expect(periodic.status()).toEqual([])
  })

  it('never has two turns at once, and waits for the one under way when it is stopped', async () => {
    const periodic = new PeriodicWork(systemClock, silentLogger)
    let underWay = 0
    let most = 0
    let ended = 0
    const stop = periodic.start({
      name: 'slow',
      everyMs: 1,
      work: async () => {
        underWay += 1
        most = Math.max(most, underWay)
        await sleep(20)
        underWay -= 1
        ended += 1
      },
    })
    await eventually('a turn is under way', async () => underWay === 1)
    await stop()
    expect({ most, underWay }).toEqual({ most: 1, underWay: 0 })
    const after = ended
    await sleep(10)
    expect(ended).toBe(after)
  })

  it('ends with the handle: its turn may still write, and is told to stop', async () => {
    const volt = await openVolt(database)
    await volt.setup()
    let isStopped = false
    let stored: unknown
    volt.database.periodic.start({
      name: 'rooms',
      everyMs: 1,
      work: async (signal) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
        isStopped = true
        stored = (await volt.classrooms.create({ name: 'at the end' })).name
      },
    })
    await sleep(20)
    await volt.close()
    expect({ isStopped, stored }).toEqual({ isStopped: true, stored: 'at the end' })
  })
})
