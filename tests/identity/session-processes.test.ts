import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { aUser } from '../support/builders.js'
import { type Child, startChild } from '../support/child.js'
import { testDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()
const password = 'correct horse'
const maximumPerUser = 5
const holders: Child[] = []
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database, { passwords: { rounds: 10 } })
  await volt.setup()
  const env = { MONGODB_URI: database.uri, DB_NAME: database.dbName, MAXIMUM: String(maximumPerUser) }
  const file = new URL('./processes/session-holder.ts', import.meta.url)
  for (let number = 0; number < 8; number += 1) holders.push(startChild(file, { env }))
  await Promise.all(holders.map((holder) => holder.next('ready')))
})

const holder = (at: number) => holders[at] as Child

async function tokensOf(holdersAsked: readonly Child[], type: string): Promise<unknown[]> {
  const answers = await Promise.all(holdersAsked.map((one) => one.next(type)))
  return answers.flatMap(({ tokens }) => tokens as unknown[])
}

async function signedIn() {
  const { email } = await volt.users.create(aUser({ password }))
  return volt.signIn.withPassword(email, password)
}

describe('eight processes', () => {
  it('leave a user no more sessions than allowed, however many sign-ins come at once', async () => {
    const { _id, email } = await volt.users.create(aUser({ password }))
    for (const one of holders) one.send({ type: 'sign in', email, password, times: 3 })
    const tokens = (await tokensOf(holders, 'signed in')) as string[]
    expect(new Set(tokens).size).toBe(24)
    expect(await volt.sessions.list(_id)).toHaveLength(maximumPerUser)
    const alive = await Promise.all(tokens.map((token) => volt.sessions.find(token)))
    expect(alive.filter((found) => found !== null)).toHaveLength(maximumPerUser)
  }, 600_000)

  it('that refresh one token at once get one successor, and the session goes on', async () => {
    const { refreshToken, user } = await signedIn()
    for (const one of holders) one.send({ type: 'refresh', token: refreshToken, times: 3 })
    const tokens = await tokensOf(holders, 'refreshed')
    expect(tokens).toHaveLength(24)
    expect(new Set(tokens).size).toBe(1)
    expect(await volt.sessions.find(String(tokens[0]))).not.toBeNull()
    expect(await volt.sessions.list(user._id)).toHaveLength(1)
  }, 600_000)

  it('leave nothing alive of a session whose former token somebody uses while it is refreshed', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { refreshToken, user, session } = await signedIn()
      const second = await volt.sessions.refresh(refreshToken)
      const usedAt = new Date(Date.now() - 61_000)
      await database.db
        .collection('user_sessions')
        .updateOne({ _id: session._id }, { $set: { 'predecessor.usedAt': usedAt } })
      holder(0).send({ type: 'go on', token: second?.refreshToken, times: 200 })
      for (const thief of holders.slice(1)) thief.send({ type: 'refresh', token: refreshToken, times: 1 })
      await tokensOf(holders.slice(1), 'refreshed')
      const { tokens, refreshToken: last } = await holder(0).next('went on')
      expect(await volt.sessions.list(user._id)).toEqual([])
      for (const token of (tokens as string[]).slice(-3)) expect(await volt.sessions.find(token)).toBeNull()
      expect(await volt.sessions.refresh(String(last))).toBeNull()
      expect(await volt.auditLog.count({ entityId: user._id, action: 'token_reused' })).toBe(1)
    }
  }, 600_000)

  it('that bring one account elsewhere at once get one user', async () => {
    const { email } = aUser()
    const identity = { provider: 'google', providerId: `of-${email}`, email, name: 'Asha' }
    for (const one of holders) one.send({ type: 'enter', identity, times: 3 })
    const entered = await tokensOf(holders, 'entered')
    expect(entered).toHaveLength(24)
    expect(new Set(entered)).toEqual(new Set([(await volt.users.findByEmail(email))?._id.toHexString()]))
    expect(await database.db.collection('users').countDocuments({ authKeys: `google:of-${email}` })).toBe(1)
  }, 600_000)

  it('that make users of one address at once, in several spellings, make one', async () => {
    const { email } = aUser()
    const spellings = [email, email.toUpperCase(), ` ${email.replace(/[a-z]/, (letter) => letter.toUpperCase())}\n`]
    for (const [at, one] of holders.entries())
      one.send({ type: 'register', emails: [...spellings.slice(at % 3), ...spellings.slice(0, at % 3)] })
    const answers = (await tokensOf(holders, 'registered')) as { id?: string }[]
    expect(answers).toHaveLength(24)
    const made = answers.filter(({ id }) => id !== undefined)
    expect(made).toEqual([{ id: (await volt.users.findByEmail(email))?._id.toHexString() }])
    const refused = answers.filter(({ id }) => id === undefined)
    expect(refused).toEqual(refused.map(() => ({ code: 'CONFLICT', fields: ['email'] })))
    expect(await database.db.collection('users').countDocuments({ email })).toBe(1)
  }, 600_000)

  it('know at once what one of them has ended', async () => {
    const { token, user } = await signedIn()
    const found = async (one: Child) => {
      one.send({ type: 'find', token })
      return (await one.next('found')).isThere
    }
    for (const one of holders) expect(await found(one)).toBe(true)
    holder(0).send({ type: 'revoke', user: user._id.toHexString() })
    expect((await holder(0).next('revoked')).count).toBe(1)
    for (const one of holders) expect(await found(one)).toBe(false)
  })
})
