import { inspect } from 'node:util'
import { hashSync } from 'bcryptjs'
import type { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { AutoVolt } from '../../src/autovolt.js'
import type { LockOutOptions } from '../../src/identity/sign-in/lock-out.js'
import { SignInError } from '../../src/identity/sign-in/sign-in-error.js'
import { aUser } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = setUpDatabase()
const password = 'correct horse'
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database, { passwords: { rounds: 10 } })
  await volt.setup()
})

const users = () => database.db.collection('users')
const stored = (_id: ObjectId) => users().findOne({ _id })

async function refusal(email: unknown, candidate: unknown): Promise<SignInError> {
  const error = await volt.signIn.withPassword(email as string, candidate as string).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(SignInError)
  return error as SignInError
}

describe('signing in with a password', () => {
  it('gives the user, by any spelling of the address, and notes the time', async () => {
    const { _id, email, __v } = await volt.users.create(aUser({ password }))
    const { user } = await volt.signIn.withPassword(` ${email.toUpperCase()}`, password)
    expect(user).toMatchObject({ _id, email, loginAttempts: 0, __v })
    expect(user.lastLogin).toBeInstanceOf(Date)
    expect(user).not.toHaveProperty('password')
  })

  it('is refused in the same words whatever the reason, which only code that asks is given', async () => {
    const known = await volt.users.create(aUser({ password }))
    const without = await volt.users.create(aUser())
    const refusals = [
      await refusal(known.email, 'wrong one'),
      await refusal('nobody@example.org', password),
      await refusal('no address', password),
      await refusal(without.email, password),
      await refusal(known.email, ''),
      await refusal(known.email, 'a'.repeat(100_000)),
    ]
    for (const status of ['pending', 'inactive', 'suspended'] as const) {
      const { email } = await volt.users.create(aUser({ password, status }))
      expect((await refusal(email, 'wrong one')).reason).toBe('wrong')
      const right = await refusal(email, password)
      expect(right.reason).toBe(status)
      refusals.push(right)
    }
    const [first] = refusals
    for (const one of refusals) {
      expect(one.toJSON()).toEqual(first?.toJSON())
      expect(inspect(one)).not.toMatch(/pending|inactive|suspended|locked/)
    }
    expect(refusals.slice(0, 6).map(({ reason }) => reason)).toEqual(Array.from({ length: 6 }, () => 'wrong'))
  })

  it('takes no operators in the place of texts', async () => {
    const { _id, email } = await volt.users.create(aUser({ password }))
    for (const injected of [{ $ne: null }, { $gt: '' }, ['correct horse'], null, undefined, 5, true]) {
      expect((await refusal(injected, password)).reason).toBe('wrong')
      expect((await refusal(email, injected)).reason).toMatch(/wrong|locked/)
    }
    expect(await stored(_id)).toMatchObject({ loginAttempts: 5 })
  })

  it('is not for deleted users', async () => {
    const { _id, email } = await volt.users.create(aUser({ password }))
    await volt.users.delete(_id)
    expect((await refusal(email, password)).reason).toBe('wrong')
  })

  it('takes the hashes of other systems and replaces them by one of today’s', async () => {
    for (const [kind, old] of [
      ['$2a$', 'six666'],
      ['$2y$', 'correct horse'],
    ] as const) {
      const { _id, email } = await volt.users.create(aUser())
      await volt.users.setPasswordHash(_id, hashSync(old, 5).replace('$2b$', kind))
      expect((await refusal(email, 'wrong one')).reason).toBe('wrong')
      await volt.signIn.withPassword(email, old)
      expect((await stored(_id))?.password).toMatch(/^\$2b\$10\$/)
      await volt.signIn.withPassword(email, old)
    }
  })

  it('counts wrong passwords even inside a transaction that is rolled back', async () => {
    const { _id, email } = await volt.users.create(aUser({ password }))
    await volt
      .transaction(async () => {
        await volt.signIn.withPassword(email, 'wrong one')
      })
      .catch(() => undefined)
    expect(await stored(_id)).toMatchObject({ loginAttempts: 1 })
  })
})

describe('too many wrong passwords', () => {
  it('lock the user out: the right one does not do either, until the lock ends', async () => {
    const { _id, email } = await volt.users.create(aUser({ password }))
    for (let attempt = 1; attempt < 5; attempt += 1) expect((await refusal(email, 'wrong one')).reason).toBe('wrong')
    const last = await refusal(email, 'wrong one')
    expect(last.reason).toBe('locked')
    const lockMs = (last.lockedUntil?.getTime() ?? 0) - Date.now()
    expect(lockMs).toBeGreaterThan(840_000)
    expect(lockMs).toBeLessThan(960_000)

    const right = await refusal(email, password)
    expect(right).toMatchObject({ reason: 'locked', lockedUntil: last.lockedUntil })
    // A lock that is tried is not made longer.
    expect((await refusal(email, 'wrong one')).lockedUntil).toEqual(last.lockedUntil)

    await users().updateOne({ _id }, { $set: { lockUntil: new Date(Date.now() - 1000) } })
    expect((await refusal(email, 'wrong one')).reason).toBe('wrong')
    expect(await stored(_id)).toMatchObject({ loginAttempts: 1 })
    expect(await stored(_id)).not.toHaveProperty('lockUntil')
    await volt.signIn.withPassword(email, password)
  })

  it('are forgotten with a right one', async () => {
    const { email } = await volt.users.create(aUser({ password }))
    for (let round = 0; round < 3; round += 1) {
      for (let attempt = 0; attempt < 4; attempt += 1) await refusal(email, 'wrong one')
      expect((await volt.signIn.withPassword(email, password)).user.loginAttempts).toBe(0)
    }
  })

  it('are forgotten where somebody unlocks the user', async () => {
    const { _id, email } = await volt.users.create(aUser({ password }))
    for (let attempt = 0; attempt < 5; attempt += 1) await refusal(email, 'wrong one')
    await volt.signIn.unlock(_id)
    await volt.signIn.withPassword(email, password)
    await expect(volt.signIn.unlock('65f0a1b2c3d4e5f6a7b8c9d0')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('are as many, and lock for as long, as the host says', async () => {
    const { uri, dbName } = database
    const strict = await openVolt(database, {
      passwords: { rounds: 10 },
      lockOut: { maximumAttempts: 1, lockMs: 60_000 },
    })
    const { email } = await strict.users.create(aUser({ password }))
    await expect(strict.signIn.withPassword(email, 'wrong one')).rejects.toMatchObject({ reason: 'locked' })
    for (const lockOut of [{ maximumAttempts: 0 }, { maximumAttempts: 101 }, { lockMs: 0 }, { attempts: 5 }]) {
      const opening = AutoVolt.open({ uri, dbName, lockOut: lockOut as LockOutOptions })
      await expect(opening).rejects.toMatchObject({ code: 'CONFIGURATION' })
    }
  })
})

describe('what a sign-in sees that others change meanwhile', () => {
  it('is another password: the old one does not do', async () => {
    const { _id, email } = await volt.users.create(aUser({ password }))
    const attempts = Promise.allSettled(Array.from({ length: 4 }, () => volt.signIn.withPassword(email, password)))
    await users().updateOne({ _id }, { $set: { password: hashSync('another one', 4) } })
    for (const outcome of await attempts) {
      if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ reason: 'wrong' })
    }
    expect((await refusal(email, password)).reason).toMatch(/wrong|locked/)
  })

  it('is a suspension: nobody is let in after it', async () => {
    const { _id, email } = await volt.users.create(aUser({ password }))
    const attempts = Promise.allSettled(Array.from({ length: 6 }, () => volt.signIn.withPassword(email, password)))
    await volt.users.update(_id, { status: 'suspended' })
    const suspended = await stored(_id)
    await attempts
    expect((await stored(_id))?.lastLogin).toEqual(suspended?.lastLogin)
  })
})
