import type { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { change } from '../../src/core/repository/changes.js'
import { aUser } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = setUpDatabase()
const refused = { code: 'TOKEN_REFUSED' }
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database, { passwords: { rounds: 10 } })
  await volt.setup()
})

const tokens = () => database.db.collection('user_tokens')

async function requested(email: string) {
  const request = await volt.signIn.requestEmailVerification(email)
  if (request === null) throw new Error('No token was given')
  return request
}

describe('an address', () => {
  it('is verified by who has the token, once, and the log says so', async () => {
    const { _id, email } = await volt.users.create(aUser({ status: 'pending' }))
    const request = await requested(email.toUpperCase())
    expect(request.email).toBe(email)
    expect(request.expiresAt.getTime() - Date.now()).toBeGreaterThan(86_000_000)
    const user = await volt.signIn.verifyEmail(request.token)
    expect(user).toMatchObject({ _id, status: 'pending', emailVerifiedAt: expect.any(Date) })
    await expect(volt.signIn.verifyEmail(request.token)).rejects.toMatchObject(refused)
    expect(await volt.signIn.requestEmailVerification(email)).toBeNull()
    const records = await volt.auditLog.find({ entityId: _id })
    expect(records).toMatchObject([{ action: 'email_verified', details: { email } }])
  })

  it('has one token that counts, of which the hash is kept, and which resets no password', async () => {
    const { _id, email } = await volt.users.create(aUser())
    const [older, newer] = [await requested(email), await requested(email)]
    const reset = await volt.signIn.requestPasswordReset(email)
    expect(JSON.stringify(await tokens().find().toArray())).not.toContain(newer.token)
    await expect(volt.signIn.verifyEmail(older.token)).rejects.toMatchObject(refused)
    await expect(volt.signIn.resetPassword(newer.token, 'another horse')).rejects.toMatchObject(refused)
    await expect(volt.signIn.verifyEmail(reset?.token ?? '')).rejects.toMatchObject(refused)
    await tokens().updateOne({ user: _id, purpose: 'verify_email' }, { $set: { expiresAt: new Date(Date.now() - 1) } })
    await expect(volt.signIn.verifyEmail(newer.token)).rejects.toMatchObject(refused)
  })

  it('is verified by one of many that try at once', async () => {
    const { token } = await requested((await volt.users.create(aUser())).email)
    const attempts = Array.from({ length: 20 }, () => volt.signIn.verifyEmail(token))
    const outcomes = await Promise.allSettled(attempts)
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it.each([undefined, null, 5, '', 'a'.repeat(43), { $ne: null }, ['a'.repeat(43)]])(
    'is not verified by who guesses %j',
    async (guess) => {
      await requested((await volt.users.create(aUser())).email)
      await expect(volt.signIn.verifyEmail(guess as string)).rejects.toMatchObject(refused)
    },
  )

  it('has no token where there is no such user, or one who was shut out, nor once the user has another', async () => {
    const unknown: unknown[] = ['nobody@example.org', { $ne: null }, null]
    for (const email of unknown) expect(await volt.signIn.requestEmailVerification(email as string)).toBeNull()
    const suspended = await volt.users.create(aUser({ status: 'suspended' }))
    expect(await volt.signIn.requestEmailVerification(suspended.email)).toBeNull()
    const shutOut: ((id: ObjectId) => Promise<unknown>)[] = [
      (id) => volt.users.update(id, { status: 'inactive' }),
      (id) => volt.users.update(id, { email: aUser().email }),
      (id) => volt.users.delete(id),
    ]
    for (const shutOutOne of shutOut) {
      const { _id, email } = await volt.users.create(aUser())
      const { token } = await requested(email)
      await shutOutOne(_id)
      await expect(volt.signIn.verifyEmail(token)).rejects.toMatchObject(refused)
    }
  })

  it('is verified no more where another takes its place, unless that is said with it', async () => {
    const verified = aUser({ emailVerifiedAt: new Date(0) })
    const { _id, email } = await volt.users.create(verified)
    expect((await volt.users.update(_id, { email, name: 'Asha Rao' })).emailVerifiedAt).toEqual(new Date(0))
    expect(await volt.users.update(_id, { email: aUser().email })).not.toHaveProperty('emailVerifiedAt')
    const now = new Date()
    const updated = await volt.users.update(_id, { email: aUser().email, emailVerifiedAt: now })
    expect(updated.emailVerifiedAt).toEqual(now)
    await volt.users.bulk([{ update: _id, changes: { email: aUser().email, firstName: change.unset() } }])
    expect(await volt.users.get(_id)).not.toHaveProperty('emailVerifiedAt')
  })

  it('is proved by a reset as well', async () => {
    const { _id, email } = await volt.users.create(aUser())
    const request = await volt.signIn.requestPasswordReset(email)
    await volt.signIn.resetPassword(request?.token ?? '', 'another horse')
    expect((await volt.users.get(_id)).emailVerifiedAt).toBeInstanceOf(Date)
  })
})
