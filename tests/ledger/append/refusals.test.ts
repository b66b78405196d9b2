import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { ValidationError } from '../../../src/core/errors.js'
import type { LedgerEventInput } from '../../../src/ledger/ledger.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import { chainOf, expectSound } from '../support/chains.js'
import { anEvent, aSwitchInLedger, at, readings } from '../support/events.js'

const database = setUpDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})

async function refusalOf(events: readonly unknown[]): Promise<ValidationError> {
  try {
    await volt.ledger.append(events as LedgerEventInput[])
  } catch (error) {
    expect(error).toBeInstanceOf(ValidationError)
    return error as ValidationError
  }
  throw new Error('It was appended')
}

describe('events that are not valid', () => {
  it.each([
    ['2.switchId', 'string', { switchId: 'no id' }],
    ['2.deviceId', 'undefined', { deviceId: undefined }],
    ['2.timestamp', 'invalid date', { timestamp: new Date(Number.NaN) }],
    ['2.timestamp', 'string', { timestamp: '2026-03-01' }],
    ['2.eventType', 'string', { eventType: 'explosion' }],
    ['2.powerRating', 'number', { powerRating: -1 }],
    ['2.energySource', 'string', { energySource: 'sun' }],
    ['2.reading', 'undefined', { reading: undefined }],
    ['2.reading.powerW', 'NaN', { reading: { powerW: Number.NaN } }],
    ['2.reading.energyWh', 'number', { reading: { energyWh: -1 } }],
    ['2.gapLimitMs', 'number', { gapLimitMs: 1.5 }],
    ['2.ratePerKwh', 'number', { ratePerKwh: 0.123_456_7 }],
    ['2.flags.1', 'string', { flags: ['late', 'lazy'] }],
    ['2.metadata.source', 'string', { metadata: { source: 'rumour' } }],
    ['2.metadata.deviceSequence', 'number', { metadata: { source: 'mqtt', deviceSequence: -1 } }],
    ['2.idempotencyKey', 'string', { idempotencyKey: '' }],
    ['2.idempotencyKey', 'string', { idempotencyKey: 'k'.repeat(201) }],
    ['2.sequence', 'number', { sequence: 7 }],
    ['2.hash', 'string', { hash: '0'.repeat(64) }],
  ])('are refused at %s (%s), and nothing of the call is appended', async (path, received, wrong) => {
    const [first, second, third] = readings(3)
    const refusal = await refusalOf([first, second, { ...third, ...wrong }])
    expect(refusal).toMatchObject({ code: 'VALIDATION', retryable: false })
    expect(refusal.issues.map((issue) => [issue.path, issue.received])).toEqual([[path, received]])
    expect(await chainOf(database.db, first!.switchId)).toEqual([])
  })

  it('are refused for being more than 10,000', async () => {
    const event = anEvent()
    expect((await refusalOf(Array(10_001).fill(event))).issues).toMatchObject([{ path: '', received: 'array' }])
    expect(await chainOf(database.db, event.switchId)).toEqual([])
  })
})

describe('a register that is full', () => {
  /** A counter that counts so much, in a day, that the register has room for it once. */
  const nearlyFull = (own = aSwitchInLedger()) => {
    const counter = (energyWh: number, day: number) =>
      anEvent({
        ...own,
        timestamp: at(86_400 * day),
        energySource: 'counter',
        reading: { energyWh, maximumPower: 1e9 },
        idempotencyKey: `day ${day}`,
      })
    return { own, counter }
  }

  it('refuses the event that overflows it, and all that came with it, but not the calls of others', async () => {
    const { own, counter } = nearlyFull()
    const neighbour = aSwitchInLedger()
    const [beside, after] = readings(2, neighbour)
    await volt.ledger.append([counter(0, 0), counter(2.2e9, 1)])
    const calls = await Promise.allSettled([
      volt.ledger.append([beside!]),
      volt.ledger.append([counter(2.2e9, 2), counter(4.4e9, 3), counter(4.4e9, 4)]),
      volt.ledger.append([after!]),
    ])
    expect(calls.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    expect(calls[1]).toMatchObject({ reason: { code: 'VALIDATION', issues: [{ received: 'number' }] } })
    expect(await chainOf(database.db, own.switchId)).toHaveLength(2)
    const others = await chainOf(database.db, neighbour.switchId)
    expect(others).toHaveLength(2)
    expectSound(others)
    // The chain is none the worse for it.
    await volt.ledger.append([counter(2.2e9 + 1, 2)])
    const entries = await chainOf(database.db, own.switchId)
    expect(entries.at(-1)).toMatchObject({ sequence: 3, cumulativeEnergy: 2.2e9 * 3600 + 3600 })
    expectSound(entries)
  })

  it('fails the transaction that would overflow it', async () => {
    const { own, counter } = nearlyFull()
    await volt.ledger.append([counter(0, 0), counter(2.2e9, 1)])
    const append = volt.transaction(() => volt.ledger.append([counter(2.2e9, 2), counter(4.4e9, 3)]))
    await expect(append).rejects.toMatchObject({ code: 'VALIDATION' })
    expect(await chainOf(database.db, own.switchId)).toHaveLength(2)
  })

  it('takes no cost that could not be stored', async () => {
    const { own, counter } = nearlyFull()
    const dear = (energyWh: number, day: number) => ({ ...counter(energyWh, day), ratePerKwh: 1e6 })
    await volt.ledger.append([dear(0, 0)])
    await expect(volt.ledger.append([dear(1.1e9, 1)])).rejects.toMatchObject({ code: 'VALIDATION' })
    expect(await chainOf(database.db, own.switchId)).toHaveLength(1)
  })
})
