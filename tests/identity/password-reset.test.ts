import type { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { aUser } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = setUpDatabase()
const password = 'correct horse'
const next = 'another horse'
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database, { passwords: { rounds: 10 } })
  await volt.setup()
})

const tokens = () => database.db.collection('user_tokens')

async function requested(email: string) {
  const request = await volt.signIn.requestPasswordReset(email)
  if (request === null) throw new Error('No token was given')
  return request
}

const refused = { code: 'TOKEN_REFUSED' }

describe('a password that was forgotten', () => {
  it('is replaced by who has the token, once, and the lock is lifted', async () => {
    const { _id, email } = await volt.users.create(aUser({ password }))
    for (let attempt = 0; attempt < 5; attempt += 1)
      await volt.signIn.withPassword(email, 'wrong one').catch(() => undefined)
    const request = await requested(email.toUpperCase())
    expect(request.email).toBe(email)
    expect(request.expiresAt.getTime() - Date.now()).toBeGreaterThan(3_000_000)

    const user = await volt.signIn.resetPassword(request.token, next)
    expect(user).toMatchObject({ _id, loginAttempts: 0 })
    expect(user).not.toHaveProperty('password')
    await expect(volt.signIn.withPassword(email, password)).rejects.toMatchObject({ reason: 'wrong' })
    await volt.signIn.withPassword(email, next)
    await expect(volt.signIn.resetPassword(request.token, 'a third horse')).rejects.toMatchObject(refused)
  })

  it('has a token of 256 bits, of which only the hash is kept', async () => {
    const { email } = await volt.users.create(aUser({ password }))
    const { token } = await requested(email)
    expect(Buffer.from(token, 'base64url')).toHaveLength(32)
    expect(JSON.stringify(await tokens().find().toArray())).not.toContain(token)
  })

  it('is replaced by one only of many that try at once', async () => {
    const { email } = await volt.users.create(aUser({ password }))
    const { token } = await requested(email)
    const attempts = Array.from({ length: 20 }, (_, at) => volt.signIn.resetPassword(token, `horse number ${at}`))
    const outcomes = await Promise.allSettled(attempts)
    const winners = outcomes.flatMap(({ status }, at) => (status === 'fulfilled' ? [at] : []))
    expect(winners).toHaveLength(1)
    for (const outcome of outcomes) if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject(refused)
    await volt.signIn.withPassword(email, `horse number ${winners[0]}`)
  })

  it('is not replaced by an older token, nor by one that has expired', async () => {
    const { _id, email } = await volt.users.create(aUser({ password }))
    const [older, newer] = [await requested(email), await requested(email)]
    await expect(volt.signIn.resetPassword(older.token, next)).rejects.toMatchObject(refused)
    await tokens().updateOne({ user: _id }, { $set: { expiresAt: new Date(Date.now() - 1) } })
    await expect(volt.signIn.resetPassword(newer.token, next)).rejects.toMatchObject(refused)
    await volt.signIn.withPassword(email, password)
  })

  it('keeps the token where the new one is not to be used', async () => {
    const { email } = await volt.users.create(aUser({ password }))
    const { token } = await requested(email)
    await expect(volt.signIn.resetPassword(token, 'short')).rejects.toMatchObject({
      code: 'VALIDATION',
      issues: [{ path: 'password' }],
    })
    await volt.signIn.resetPassword(token, next)
  })

  it.each([undefined, null, 5, '', 'a'.repeat(43), { $ne: null }, { $gt: '' }, ['a'.repeat(43)]])(
    'is not replaced by who guesses %j',
    async (guess) => {
      await requested((await volt.users.create(aUser({ password }))).email)
      await expect(volt.signIn.resetPassword(guess as string, next)).rejects.toMatchObject(refused)
    },
  )

  it('has no token where there is no such user, or one who may not come back', async () => {
    const unknown: unknown[] = ['nobody@example.org', 'no address', { $ne: null }, null]
    for (const email of unknown) expect(await volt.signIn.requestPasswordReset(email as string)).toBeNull()
    for (const status of ['inactive', 'suspended'] as const) {
      const { email } = await volt.users.create(aUser({ password, status }))
      expect(await volt.signIn.requestPasswordReset(email)).toBeNull()
    }
  })

  it('is not replaced once the user has been suspended, deleted or given another address', async () => {
    const changes: ((id: ObjectId) => Promise<unknown>)[] = [
      (id) => volt.users.update(id, { status: 'suspended' }),
      (id) => volt.users.update(id, { email: aUser().email }),
      (id) => volt.users.delete(id),
    ]
    for (const change of changes) {
      const { _id, email } = await volt.users.create(aUser({ password }))
      const { token } = await requested(email)
      await change(_id)
      await expect(volt.signIn.resetPassword(token, next)).rejects.toMatchObject(refused)
    }
  })

  it('has one token however many are asked for at once', async () => {
    const { _id, email } = await volt.users.create(aUser({ password }))
    const requests = await Promise.all(Array.from({ length: 20 }, () => requested(email)))
    expect(await tokens().countDocuments({ user: _id })).toBe(1)
    const outcomes = await Promise.allSettled(requests.map(({ token }) => volt.signIn.resetPassword(token, next)))
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })
})
