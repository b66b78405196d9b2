import { hashSync } from 'bcryptjs'
import { Mongoose } from 'mongoose'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { AutoVolt } from '../../src/autovolt.js'
import { validateData } from '../../src/core/validate.js'
import { type HashingJob, HashingThread } from '../../src/identity/passwords/hashing-thread.js'
import { userEntity } from '../../src/identity/user.js'
import { aUser, keyRing } from '../support/builders.js'
import { cleanUpLater } from '../support/clean-up.js'
import { setUpDatabase } from '../support/database.js'

const database = setUpDatabase()
const password = 'correct horse'
const rounds = 11
const commands: string[] = []
let volt: AutoVolt

beforeAll(async () => {
  const connection = new Mongoose().createConnection()
  await connection.openUri(database.uri, { dbName: database.dbName, monitorCommands: true })
  connection.getClient().on('commandStarted', ({ commandName, command }) => {
    const target: unknown = command[commandName]
    if (target === 'users' || target === 'audit_logs') commands.push(`${commandName} ${target}`)
    if (commandName === 'commitTransaction') commands.push(commandName)
  })
  volt = AutoVolt.attach(connection, { passwords: { rounds }, keys: keyRing('first') })
  cleanUpLater(async () => {
    await volt.close()
    await connection.close()
  })
  await volt.setup()
})

describe('the body of a sign-up', () => {
  const body = () => ({ email: aUser().email, name: 'Mallory', password })
  const privileged = {
    role: 'super-admin',
    userType: 'admin',
    status: 'active',
    assignedClassrooms: ['65f0a1b2c3d4e5f6a7b8c9d0'],
    emailVerifiedAt: new Date(),
    lastLogin: new Date(),
    loginAttempts: 0,
    lockUntil: new Date(0),
    authKeys: ['google:1'],
    stats: { trades: 1 },
    _id: '65f0a1b2c3d4e5f6a7b8c9d0',
    deletedAt: null,
    createdAt: new Date(0),
    __v: 5,
    isActive: true,
    $set: { role: 'admin' },
    'profile.role': 'admin',
  }

  it.each(Object.entries(privileged))('is refused that sets %s', async (field, value) => {
    expect(() => validateData(userEntity.requestSchema, { ...body(), [field]: value })).toThrow(/not valid/)
    expect(() => validateData(userEntity.requestChangesSchema, { [field]: value })).toThrow(/not valid/)
  })

  it('is refused that has an operator, or something else, in the place of a text', async () => {
    for (const injected of [{ $ne: null }, { $gt: '' }, ['a@example.org'], null, 5, { toString: 'a' }]) {
      for (const field of ['email', 'name', 'password']) {
        const attempted = volt.users.create({ ...body(), [field]: injected } as never)
        await expect(attempted).rejects.toMatchObject({ code: 'VALIDATION' })
      }
    }
  })
})

describe('who tries addresses', () => {
  const jobs: HashingJob[] = []

  beforeEach(() => {
    jobs.length = 0
    const run = HashingThread.prototype.run
    vi.spyOn(HashingThread.prototype, 'run').mockImplementation(function (this: HashingThread, job) {
      jobs.push(job)
      return run.call(this, job)
    })
  })
  afterEach(() => void vi.restoreAllMocks())

  /** The hashing that a failed attempt costs, in the work of one round: the thread makes up for what a hash has less. */
  const workOf = (job: HashingJob) => 2 ** job.rounds

  async function attempt(email: string) {
    commands.length = 0
    jobs.length = 0
    const error = await volt.signIn.withPassword(email, 'wrong one').catch((thrown: unknown) => thrown)
    return { error, work: jobs.map(workOf), commands: [...commands] }
  }

  it('learns nothing from the answer, nor from the work, whatever there is at an address', async () => {
    const withPassword = (overrides = {}) => volt.users.create(aUser({ password, ...overrides }))
    const known = await withPassword()
    const without = await volt.users.create(aUser())
    const inactive = await withPassword({ status: 'inactive' })
    const locked = await withPassword()
    for (let count = 0; count < 5; count += 1) await attempt(locked.email)
    const old = await volt.users.create(aUser())
    await volt.users.setPasswordHash(old._id, hashSync(password, 5))
    const emails = [known, without, inactive, locked, old].map(({ email }) => email)
    const unknown = await attempt('nobody@example.org')

    expect(unknown.work).toEqual([2 ** rounds])
    expect(unknown.commands).toEqual(['find users', 'findAndModify users', 'update audit_logs', 'commitTransaction'])
    for (const email of emails) {
      const outcome = await attempt(email)
      expect(outcome.work).toEqual(unknown.work)
      // One insert of a record in the place of the update that counts.
      expect(outcome.commands.map((command) => command.replace('insert', 'update'))).toEqual(unknown.commands)
      expect(JSON.stringify(outcome.error)).toBe(JSON.stringify(unknown.error))
    }
  })

  it('learns nothing from a reset or a verification that is asked for, but what only the mail may say', async () => {
    for (const email of ['nobody@example.org', 'no address'])
      expect([
        await volt.signIn.requestPasswordReset(email),
        await volt.signIn.requestEmailVerification(email),
      ]).toEqual([null, null])
  })

  it('may fill the queue of hashes, and others get a time to retry at', async () => {
    const { uri, dbName } = database
    await using small = await AutoVolt.open({ uri, dbName, passwords: { rounds: 10, maximumWaiting: 2 } })
    const attempts = Array.from({ length: 20 }, (_, at) => small.signIn.withPassword(`no-${at}@example.org`, password))
    const outcomes = await Promise.allSettled(attempts)
    const codes = outcomes.map((outcome) => (outcome.status === 'rejected' ? (outcome.reason.code as string) : 'in'))
    expect(new Set(codes)).toEqual(new Set(['BUSY', 'SIGN_IN_REFUSED']))
  })
})

describe('who has a token of before', () => {
  it('has not what a new role may do: it was ended with the old one', async () => {
    const { _id, email } = await volt.users.create(aUser({ password, role: 'admin' }))
    const { token } = await volt.signIn.withPassword(email, password)
    await volt.users.update(_id, { role: 'student' })
    expect(await volt.sessions.find(token)).toBeNull()

    const again = await volt.signIn.withPassword(email, password)
    await database.db.collection('users').updateOne({ _id }, { $set: { role: 'faculty' } })
    expect((await volt.sessions.find(again.token))?.user.role).toBe('faculty')
  })

  it('cannot have one made beforehand: no sign-in takes a token, or an id, from outside', async () => {
    const { email } = await volt.users.create(aUser({ password }))
    const planted = { token: 'a'.repeat(43), sessionId: '65f0a1b2c3d4e5f6a7b8c9d0' }
    await expect(volt.signIn.withPassword(email, password, planted as never)).rejects.toMatchObject({
      code: 'VALIDATION',
    })
    expect(await volt.sessions.find(planted.token)).toBeNull()
  })
})
