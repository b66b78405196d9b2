import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { AutoVolt } from '@autovolt/data'
import { generateLogKeys } from '@autovolt/data/ledger'
import { UUID } from 'mongodb'
import { beforeEach, describe, expect, inject, it } from 'vitest'
import { type Child, startChild } from '../support/child.js'
import { cleanUpLater } from '../support/clean-up.js'
import { eventually } from '../support/eventually.js'
import { full } from '../support/extent.js'
import { seededRandom } from './support/random.js'

const uri = inject('mongodbUri')
const keys = generateLogKeys('school.example/energy')
const checkpointsMade = full ? 300 : 8
const kills = full ? 60 : 3
const freezes = full ? 20 : 2

let volt: AutoVolt
let dbName: string

beforeEach(async () => {
  dbName = `checkpoints_${randomUUID().slice(0, 13)}`
  volt = await AutoVolt.open({ uri, dbName, ledgerLog: { signerKeys: [keys.signerKey] } })
  cleanUpLater(async () => {
    await volt.database.native.dropDatabase()
    await volt.close()
  })
  await volt.setup()
})

function start(name: string, task: 'append' | 'checkpoint' | 'freeze', offsetHours = 0): Child {
  return startChild(new URL('./support/ledger-hand.ts', import.meta.url), {
    args: [name, task, String(offsetHours)],
    env: { MONGODB_URI: uri, DB_NAME: dbName, SIGNER_KEY: keys.signerKey },
  })
}

/** Processes that append to the same chains, on machines whose clocks are hours apart. */
async function startAppenders(clocks: readonly number[] = [-7, 26]): Promise<Child[]> {
  const appenders = clocks.map((hours) => start(`clock ${hours}`, 'append', hours))
  await Promise.all(appenders.map((appender) => appender.next('started', 60_000)))
  return appenders
}

async function end(children: readonly Child[]): Promise<void> {
  for (const child of children) child.send({ type: 'end' })
  for (const child of children) expect(await child.exit, child.output).toMatchObject({ code: 0 })
}

/** Everything that was appended is in the tree once, in the order of its chain, and everything verifies. */
async function expectCovered(): Promise<void> {
  const { ledger, database } = volt
  const { unsound } = await ledger.checkpoint()
  expect(unsound).toEqual([])
  const entries = await ledger.count({})
  expect(entries).toBeGreaterThan(0)
  expect(await ledger.verify()).toMatchObject({
    valid: true,
    findings: [],
    entries,
    coveredEntries: entries,
    checkpoint: { size: entries },
  })
  const segments = await database.native.collection('ledger_segments').find().sort({ firstLeaf: 1 }).toArray()
  const covered = new Map<string, number>()
  for (const { switchId, firstSequence, count } of segments) {
    expect(firstSequence).toBe((covered.get(String(switchId)) ?? 0) + 1)
    covered.set(String(switchId), firstSequence + count - 1)
  }
}

const checkpoints = () => volt.database.native.collection('ledger_checkpoints')
/** Half a minute passes. A transaction that was left open is ended first, as whoever takes the lease over does. */
async function expireLease(): Promise<void> {
  const { native } = volt.database
  const lease = await native.collection('leases').findOne({ name: 'ledger:log' })
  const sessions = ((lease?.sessions ?? []) as string[]).map((id) => ({ id: new UUID(id) }))
  if (sessions.length > 0) await native.command({ killSessions: sessions })
  await native.collection('leases').updateOne({ name: 'ledger:log' }, { $set: { expiresAt: new Date(0) } })
}

describe('checkpoints', () => {
  it('skip no entry of writers whose clocks disagree, and several processes make them without losing one', async () => {
    const appenders = await startAppenders([-7, 0, 3, 26])
    const makers = [-12, 0, 9].map((hours) => start(`maker ${hours}`, 'checkpoint', hours))
    const madeBy = () => makers.flatMap(({ messages }) => messages.filter(({ type }) => type === 'made'))
    await eventually('enough checkpoints', () => madeBy().length >= checkpointsMade, { timeoutMs: 600_000 })
    await end(makers)
    await end(appenders)
    const made = madeBy()
    const stored = await checkpoints().find().sort({ size: 1 }).toArray()
    expect(made.map(({ size }) => Number(size)).sort((a, b) => a - b)).toEqual(stored.map(({ size }) => size))
    expect(made.reduce((sum, { added }) => sum + Number(added), 0)).toBe(stored.at(-1)?.size)
    // Each of them is a prefix of the next.
    for (const [at, { size }] of stored.slice(0, -1).entries())
      expect((await volt.ledger.proveConsistency(size, stored[at + 1]?.size)).hashes).toBeDefined()
    await expectCovered()
  })

  it(`are whole or not there at all when the process that makes them is killed ${kills} times`, async () => {
    const seed = Date.now()
    const random = seededRandom(seed)
    const appenders = await startAppenders()
    for (let kill = 0; kill < kills; kill += 1) {
      const maker = start(`maker ${kill}`, 'checkpoint')
      await maker.next('made', 60_000)
      await sleep(random() * 300)
      await maker.kill('SIGKILL')
      // What would come by itself within half a minute.
      await expireLease()
      expect((await volt.ledger.verify()).findings, `seed ${seed}`).toEqual([])
    }
    await end(appenders)
    await expectCovered()
  })
})

describe('a process that is frozen while it makes a checkpoint', () => {
  const stateOf = async ({ pid }: Child) => (await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.[0]

  it('until another has taken over is refused when it wakes, and has written nothing', async () => {
    const appenders = await startAppenders()
    await sleep(500)
    const sleeper = start('sleeper', 'freeze')
    await eventually('it is frozen', async () => (await stateOf(sleeper)) === 'T', { timeoutMs: 60_000 })
    await expireLease()
    await sleep(200)
    const { checkpoint } = await volt.ledger.checkpoint()
    const count = await checkpoints().countDocuments()
    process.kill(sleeper.pid, 'SIGCONT')
    expect(await sleeper.next('woken')).toMatchObject({ code: 'LEASE_LOST' })
    expect(await checkpoints().countDocuments()).toBe(count)
    expect(await checkpoints().findOne({}, { sort: { size: -1 } })).toMatchObject({ note: checkpoint?.note })
    await end(appenders)
    await expectCovered()
  })

  it(`anywhere, ${freezes} times, leaves a ledger that verifies`, async () => {
    const seed = Date.now()
    const random = seededRandom(seed)
    const appenders = await startAppenders()
    for (let freeze = 0; freeze < freezes; freeze += 1) {
      const maker = start(`maker ${freeze}`, 'checkpoint')
      await maker.next('made', 60_000)
      await sleep(random() * 100)
      process.kill(maker.pid, 'SIGSTOP')
      await expireLease()
      await volt.ledger.checkpoint()
      process.kill(maker.pid, 'SIGCONT')
      await volt.ledger.checkpoint()
      expect((await volt.ledger.verify()).findings, `seed ${seed}`).toEqual([])
      await maker.kill()
    }
    await end(appenders)
    await expectCovered()
  })
})
