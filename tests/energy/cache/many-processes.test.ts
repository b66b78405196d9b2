import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import { type Child, startChild } from '../../support/child.js'
import { testDatabase } from '../../support/database.js'
import { eventually } from '../../support/eventually.js'
import { openVolt } from '../../support/volt.js'

const database = testDatabase()
let askers: Child[] = []
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
  const env = { MONGODB_URI: database.uri, DB_NAME: database.dbName, CLAIM_MS: '2000' }
  askers = Array.from({ length: 10 }, () => startChild(new URL('./processes/asker.ts', import.meta.url), { env }))
  await Promise.all(askers.map((child) => child.next('ready')))
})

function ask(children: readonly Child[], question: string): void {
  for (const child of children) child.send({ type: 'ask', question })
}

const told = (child: Child, type: string, question: string) =>
  child.messages.filter((message) => message.type === type && message.question === question)

/** Who computes this, or has. */
const computing = (question: string) => askers.filter((child) => told(child, 'computing', question).length > 0)

const answerOf = (child: Child, question: string) => eventually('the answer', () => told(child, 'answer', question)[0])

async function somebodyComputes(question: string, beside?: Child): Promise<Child> {
  return eventually('somebody computes', () => computing(question).find((child) => child !== beside))
}

const kept = (question: string) => volt.analyticsCache.getCachedData<{ by: number }>('peak_hours', { question })

describe('of ten processes that ask for the same thing', () => {
  it('one computes, and all get what it computed', async () => {
    ask(askers, 'at once')
    const computer = await somebodyComputes('at once')
    computer.send({ type: 'finish', question: 'at once' })
    const answers = await Promise.all(askers.map((child) => answerOf(child, 'at once')))
    expect(answers.map(({ by, isDate }) => [by, isDate])).toEqual(askers.map(() => [computer.pid, true]))
    expect(computing('at once')).toEqual([computer])
  })

  it('one goes on for longer than a claim lasts, because it says that it is alive', async () => {
    ask(askers.slice(0, 3), 'for long')
    const computer = await somebodyComputes('for long')
    const claimOf = () => database.db.collection('analytics_cache').findOne({ 'parameters.question': 'for long' })
    const first = await claimOf()
    await eventually('the first claim would be over', async () => {
      const { now } = await database.db.command({ hello: 1 }).then(({ localTime }) => ({ now: localTime as Date }))
      return now > first?.expiresAt
    })
    expect(computing('for long')).toEqual([computer])
    computer.send({ type: 'finish', question: 'for long' })
    for (const child of askers.slice(0, 3))
      expect(await answerOf(child, 'for long')).toMatchObject({ by: computer.pid })
  })

  it('another takes over from one that is killed', async () => {
    ask(askers, 'killed')
    const killed = await somebodyComputes('killed')
    await killed.kill()
    const successor = await somebodyComputes('killed', killed)
    successor.send({ type: 'finish', question: 'killed' })
    askers = askers.filter((child) => child !== killed)
    for (const child of askers) expect(await answerOf(child, 'killed')).toMatchObject({ by: successor.pid })
    expect(computing('killed')).toEqual([successor])
  })

  it('one that was stopped, and woke up after another took over, does not overwrite what that one computed', async () => {
    const few = askers.slice(0, 2)
    ask(few, 'frozen')
    const frozen = await somebodyComputes('frozen')
    process.kill(frozen.pid, 'SIGSTOP')
    const successor = await somebodyComputes('frozen', frozen)
    successor.send({ type: 'finish', question: 'frozen' })
    await answerOf(successor, 'frozen')
    process.kill(frozen.pid, 'SIGCONT')
    frozen.send({ type: 'finish', question: 'frozen' })
    expect(await answerOf(frozen, 'frozen')).toMatchObject({ by: frozen.pid })
    expect(await kept('frozen')).toMatchObject({ by: successor.pid })
  })

  it('one does not keep what another process has invalidated meanwhile', async () => {
    const [first, second] = askers as [Child, Child]
    ask([first], 'invalidated')
    await somebodyComputes('invalidated')
    await volt.analyticsCache.invalidate({ fromDay: '2026-03-01', toDay: '2026-03-01' })
    ask([second], 'invalidated')
    await somebodyComputes('invalidated', first)
    first.send({ type: 'finish', question: 'invalidated' })
    expect(await answerOf(first, 'invalidated')).toMatchObject({ by: first.pid })
    expect(await kept('invalidated')).toBeUndefined()
    second.send({ type: 'finish', question: 'invalidated' })
    expect(await answerOf(second, 'invalidated')).toMatchObject({ by: second.pid })
    expect(await kept('invalidated')).toMatchObject({ by: second.pid })
  })
})
