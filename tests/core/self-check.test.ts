import { ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { AutoVolt } from '../../src/autovolt.js'
import { defineEntity } from '../../src/core/entity.js'
import { type Logger, silentLogger } from '../../src/core/logger.js'
import { generateLogKeys } from '../../src/ledger/log/signed-note.js'
import { aSite } from '../energy/support/site.js'
import { aClassroom, aRegisterMark } from '../support/builders.js'
import { testDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { SettableClock } from '../support/settable-clock.js'
import { openVolt } from '../support/volt.js'

const { signerKey } = generateLogKeys('school.example/energy')
const march = { from: '2026-03-01', to: '2026-03-31' }

function recordingLogger(): { logger: Logger; codes: () => unknown[] } {
  const warnings: object[] = []
  const logger = { ...silentLogger, warn: (fields: object) => void warnings.push(fields) }
  return { logger, codes: () => warnings.flatMap((fields) => ('code' in fields ? [fields.code] : [])) }
}

const codesOf = async (volt: AutoVolt) => (await volt.health()).notices.map(({ code }) => code)

describe('writing without setup', () => {
  it('is logged once, and is among the notices until the database is set up', async () => {
    const { logger, codes } = recordingLogger()
    const volt = await openVolt(testDatabase(), { logger })
    expect(await codesOf(volt)).toEqual([])
    await volt.classrooms.create(aClassroom())
    await volt.classrooms.create(aClassroom({ name: 'Another' }))
    await eventually('it is logged', () => codes().length > 0)
    const { notices } = await volt.health()
    expect(notices).toEqual([
      {
        code: 'NOT_SET_UP',
        message:
          'The database was not set up: classrooms have no validator, and perhaps no unique indexes. Run volt.setup(), or npx autovolt setup',
        completeUntil: null,
      },
    ])
    expect(codes()).toEqual(['NOT_SET_UP'])
    await volt.setup()
    expect(await codesOf(volt)).toEqual([])
  })

  it('is logged of a script that writes and ends, and of an entity of the host', async () => {
    const note = defineEntity({ name: 'note', collection: 'notes', fields: { text: z.string() } })
    const { logger, codes } = recordingLogger()
    const { uri, dbName } = testDatabase()
    const volt = await AutoVolt.open({ uri, dbName, logger, hostEntities: [note] })
    await volt.repository(note).create({ text: 'first' })
    await volt.close()
    expect(codes()).toEqual(['NOT_SET_UP'])
  })

  it('is no matter where another process has set up the database', async () => {
    const database = testDatabase()
    await (await openVolt(database)).setup()
    const { logger, codes } = recordingLogger()
    const volt = await openVolt(database, { logger })
    await volt.classrooms.create(aClassroom())
    await volt.close()
    expect(codes()).toEqual([])
  })
})

describe('roll-ups that nobody keeps', () => {
  it('are logged once when they are asked, and answers say until when they are complete', async () => {
    const { logger, codes } = recordingLogger()
    const clock = new SettableClock()
    const volt = await openVolt(testDatabase(), { logger, clock })
    await volt.setup()
    const { event } = await aSite(volt)
    expect(await volt.analytics.dailySummaries(march)).toHaveProperty('completeUntil', null)
    expect(codes()).toEqual([])

    await volt.ledger.append([event.rated('2026-03-02T10:00:00Z', true), event.rated('2026-03-02T12:00:00Z', false)])
    const before = await volt.analytics.dailySummaries(march)
    expect([...before, before.completeUntil]).toEqual([null])
    expect(await volt.analytics.completeUntil()).toBeNull()
    expect(codes()).toEqual(['ROLL_UPS_BEHIND'])
    expect(await codesOf(volt)).toEqual(['ROLL_UPS_BEHIND'])

    const began = clock.now()
    await volt.rollUps.update()
    const answer = await volt.analytics.compareWithPrevious(march)
    expect(answer.current.totalEnergyKwh).toBe(2)
    expect(answer.completeUntil?.getTime()).toBeGreaterThanOrEqual(began.getTime())
    expect(JSON.parse(JSON.stringify(answer))).toMatchObject({ completeUntil: answer.completeUntil?.toISOString() })
    expect(await codesOf(volt)).toEqual([])

    clock.advance(60 * 60_000)
    expect((await volt.health()).notices).toMatchObject([
      { code: 'ROLL_UPS_BEHIND', completeUntil: answer.completeUntil },
    ])
    await volt.analytics.peakHours(march)
    expect(codes()).toEqual(['ROLL_UPS_BEHIND', 'ROLL_UPS_BEHIND'])
  })
})

describe('registers that nobody takes, and checkpoints that nobody makes', () => {
  it('are among the notices', async () => {
    const clock = new SettableClock()
    const volt = await openVolt(testDatabase(), { clock, ledgerLog: { signerKeys: [signerKey] } })
    await volt.setup()
    expect(await codesOf(volt)).toEqual([])
    const { event } = await aSite(volt)
    await volt.ledger.append([event.rated('2026-03-02T10:00:00Z', true)])
    await volt.rollUps.update()
    expect(await codesOf(volt)).toEqual(['CHECKPOINTS_NOT_MADE'])
    await volt.ledger.checkpoint()
    expect(await codesOf(volt)).toEqual([])

    const mark = { ...aRegisterMark(), switchId: new ObjectId(), dueAt: new Date('2026-03-02T10:00:00Z') }
    await volt.database.of(volt.entityOf('registerMarks')).insertOne(mark)
    expect(await codesOf(volt)).toEqual(['REGISTERS_NOT_TAKEN'])
    await volt.registers.update()
    expect(await codesOf(volt)).toEqual([])
  })
})

describe('volt.start()', () => {
  const namesOf = async (volt: AutoVolt) => {
    const { periodicWork } = await volt.health()
    return periodicWork.map(({ name, everyMs }) => [name, everyMs]).filter(([name]) => name !== 'self-check')
  }

  it('starts what a host usually wants kept, checkpoints where there is a key, until it is stopped or the handle closed', async () => {
    const database = testDatabase()
    const volt = await openVolt(database)
    await volt.setup()
    const stop = volt.start()
    expect(await namesOf(volt)).toEqual([
      ['roll-ups', 10_000],
      ['registers', 30_000],
    ])
    expect(() => volt.start()).toThrow('The work of this handle is started already; stop it first')
    await stop()
    await stop()
    expect(await namesOf(volt)).toEqual([])
    volt.start({ rollUps: { everyMs: 100 }, registers: false })
    expect(await namesOf(volt)).toEqual([['roll-ups', 100]])
    await eventually('roll-ups are kept', async () => (await volt.analytics.completeUntil()) !== null)

    const signing = await openVolt(database, { ledgerLog: { signerKeys: [signerKey] } })
    signing.start({ rollUps: false })
    expect(await namesOf(signing)).toEqual([
      ['registers', 30_000],
      ['checkpoints', 60_000],
    ])
    await signing.close()
    expect(() => signing.start()).toThrow('The handle is closed')
  })

  it('refuses what it cannot do, and starts nothing then', async () => {
    const volt = await openVolt(testDatabase())
    expect(() => volt.start({ checkpoints: { everyMs: 1000 } })).toThrow(
      'Checkpoints are signed: open the handle with `ledgerLog.signerKeys`',
    )
    expect(() => volt.start({ rollUps: { everyMs: 1 } })).toThrow(/^The options are not valid: rollUps/)
    expect(await namesOf(volt)).toEqual([])
  })
})

it('tells who listens of the first connection too', async () => {
  const volt = await openVolt(testDatabase())
  const heard: string[] = []
  volt.on('connected', () => void heard.push('connected'))
  const stop = volt.on('connected', () => void heard.push('not any more'))
  stop()
  expect(heard).toEqual([])
  await Promise.resolve()
  expect(heard).toEqual(['connected'])
})

it('fails in the time that was asked for where there is no server, and says so', async () => {
  const uri = 'mongodb://127.0.0.1:1/school'
  const short = AutoVolt.open({ uri, connectRetryMs: 300 })
  await expect(short).rejects.toMatchObject({
    code: 'CONNECTION',
    message: expect.stringMatching(/ECONNREFUSED 127\.0\.0\.1:1.* \(tried .*, for 300 ms\)$/),
  })
  const selection = AutoVolt.open({ uri: `${uri}?serverSelectionTimeoutMS=200` })
  await expect(selection).rejects.toMatchObject({ message: expect.stringMatching(/\(tried once, for 200 ms\)$/) })
  // The bound is less than what the driver would wait by itself.
}, 25_000)

describe('change streams', () => {
  it('that leave too few connections are among the notices while they wait', async () => {
    const volt = await openVolt(testDatabase(), { maxPoolSize: 5 })
    await volt.setup()
    const ending = new AbortController()
    const watch = async () => {
      for await (const _ of await volt.classrooms.watch({}, { signal: ending.signal })) break
    }
    const first = [watch(), watch()]
    await eventually('they wait', async () => (await volt.health()).pool.checkedOut >= 2)
    expect(await codesOf(volt)).toEqual([])
    const third = watch()
    await eventually('it is noticed', async () => (await codesOf(volt)).includes('FEW_CONNECTIONS'))
    ending.abort()
    await Promise.all([...first, third])
    expect(await codesOf(volt)).toEqual([])
  })
})
