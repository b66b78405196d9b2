import { inspect } from 'node:util'
import type { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import { AutoVolt } from '../../src/autovolt.js'
import type { SessionOptions } from '../../src/identity/sessions/session-options.js'
import type { SignedIn } from '../../src/identity/sign-in/attempts.js'
import type { User } from '../../src/identity/user.js'
import { aUser } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = setUpDatabase()
const password = 'correct horse'
const phone = { ip: '192.0.2.7', userAgent: 'Phone/1', fingerprint: 'the phone' }
const dayMs = 86_400_000
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database, { passwords: { rounds: 10 } })
  await volt.setup()
})

const stored = (_id: ObjectId) => database.db.collection('user_sessions').findOne({ _id })
const shift = (_id: ObjectId, changes: Record<string, Date>) =>
  database.db.collection('user_sessions').updateOne({ _id }, { $set: changes })
const ago = (ms: number) => new Date(Date.now() - ms)

async function signedIn(handle = volt): Promise<SignedIn<User>> {
  const { email } = await handle.users.create(aUser({ password }))
  return handle.signIn.withPassword(email, password, phone)
}

describe('a session', () => {
  it('is opened by signing in, and found by its token, with its user', async () => {
    const { session, token, user } = await signedIn()
    const found = await volt.sessions.find(token)
    expect(found).toEqual({ session, user })
    expect(session).toMatchObject({ user: user._id, client: phone })
    expect(session.endsAt.getTime() - session.authenticatedAt.getTime()).toBe(30 * dayMs)
    expect(session.expiresAt.getTime() - session.authenticatedAt.getTime()).toBe(7 * dayMs)
  })

  it('has tokens of 256 random bits, of which the database has nothing but hashes', async () => {
    const { session, token, refreshToken } = await signedIn()
    expect(Buffer.from(token, 'base64url')).toHaveLength(32)
    const refreshed = await volt.sessions.refresh(refreshToken)
    const kept = JSON.stringify([
      await database.db.collection('user_sessions').find().toArray(),
      await database.db.collection('audit_logs').find().toArray(),
    ])
    const parts = [token, refreshToken, refreshed?.token, refreshed?.refreshToken].map((text = '') => text)
    for (const part of parts) {
      expect(kept).not.toContain(part)
      expect(kept).not.toContain(part.slice(-43))
    }
    expect(inspect(session)).not.toMatch(/[hH]ash/)
    const indexes = await database.db.collection('user_sessions').listIndexes().toArray()
    expect(indexes).toContainEqual(expect.objectContaining({ key: { tokenHash: 1 }, unique: true }))
    expect(indexes).toContainEqual(expect.objectContaining({ key: { endsAt: 1 }, expireAfterSeconds: 86_400 }))
  })

  it('has another token each time: none that a client brings along is taken over', async () => {
    const { email } = await volt.users.create(aUser({ password }))
    const tokens = new Set<string>()
    for (let round = 0; round < 3; round += 1) {
      const { token, refreshToken } = await volt.signIn.withPassword(email, password)
      tokens.add(token).add(refreshToken)
    }
    expect(tokens.size).toBe(6)
  })

  it.each([undefined, null, 5, '', 'a'.repeat(43), 'a'.repeat(102), { $ne: null }, { $gt: '' }, ['a'.repeat(43)]])(
    'is not found by who guesses %j',
    async (guess) => {
      await signedIn()
      expect(await volt.sessions.find(guess as string)).toBeNull()
      expect(await volt.sessions.refresh(guess as string)).toBeNull()
      expect(await volt.sessions.end(guess as string)).toBe(false)
      expect(await volt.sessions.isRevoked(guess as string)).toBe(true)
    },
  )

  it('ends when it was not used for long enough, before the server removes it', async () => {
    const { session, token, refreshToken, jti } = await signedIn()
    await shift(session._id, { expiresAt: ago(1) })
    expect(await volt.sessions.find(token)).toBeNull()
    expect(await volt.sessions.refresh(refreshToken)).toBeNull()
    expect(await volt.sessions.isRevoked(jti)).toBe(true)
    expect(await volt.sessions.list(session.user)).toEqual([])
    expect(await stored(session._id)).toMatchObject({ revokedAt: null })
  })

  it('lives longer by being used, which is written once a minute, and never past its end', async () => {
    const { session, token } = await signedIn()
    await volt.sessions.find(token)
    expect((await stored(session._id))?.lastUsedAt).toEqual(session.lastUsedAt)

    await shift(session._id, { lastUsedAt: ago(61_000), expiresAt: new Date(Date.now() + 60_000) })
    const used = await volt.sessions.find(token)
    expect(used?.session.expiresAt.getTime()).toBeGreaterThan(Date.now() + 6 * dayMs)
    expect(used?.session.lastUsedAt.getTime()).toBeGreaterThan(Date.now() - 30_000)

    const endsAt = new Date(Date.now() + 120_000)
    await shift(session._id, { lastUsedAt: ago(61_000), expiresAt: endsAt, endsAt })
    expect((await volt.sessions.find(token))?.session.expiresAt).toEqual(endsAt)
  })

  it('that was ended while it was being used stays so', async () => {
    const { session, token } = await signedIn()
    for (let round = 0; round < 10; round += 1) {
      const { token: next } = await volt.signIn.withPassword((await volt.users.get(session.user)).email, password)
      const { _id } = (await volt.sessions.find(next))?.session ?? session
      await shift(_id, { lastUsedAt: ago(61_000) })
      await Promise.all([volt.sessions.find(next), volt.sessions.revoke(session.user, _id), volt.sessions.find(next)])
      expect(await volt.sessions.find(next)).toBeNull()
    }
    expect(await volt.sessions.find(token)).not.toBeNull()
  })

  it('lives as long as the host says', async () => {
    const { uri, dbName } = database
    const strict = await openVolt(database, {
      passwords: { rounds: 10 },
      sessions: { idleMs: 60_000, absoluteMs: 3_600_000 },
    })
    const { session } = await signedIn(strict)
    expect(session.expiresAt.getTime() - session.lastUsedAt.getTime()).toBe(60_000)
    expect(session.endsAt.getTime() - session.lastUsedAt.getTime()).toBe(3_600_000)
    const unusable = [{ idleMs: 0 }, { absoluteMs: 1e12 }, { graceMs: 60_001 }, { maximumPerUser: 0 }, { idle: 1 }]
    for (const sessions of unusable) {
      const opening = AutoVolt.open({ uri, dbName, sessions: sessions as SessionOptions })
      await expect(opening).rejects.toMatchObject({ code: 'CONFIGURATION' })
    }
  })

  it('knows where it was opened from, as far as that is one', async () => {
    const { email } = await volt.users.create(aUser({ password }))
    const { session } = await volt.signIn.withPassword(email, password, { userAgent: 'a'.repeat(600), ip: undefined })
    expect(session.client).toEqual({ userAgent: 'a'.repeat(512) })
    for (const client of [{ ip: 'localhost' }, { ip: { $ne: 1 } }, { token: 'mine' }, null, 'a phone']) {
      await expect(volt.signIn.withPassword(email, password, client as never)).rejects.toMatchObject({
        code: 'VALIDATION',
      })
    }
  })
})

describe('signing out', () => {
  it('ends the session of the token, once', async () => {
    const { session, token, refreshToken, jti } = await signedIn()
    expect(await volt.sessions.isRevoked(jti)).toBe(false)
    expect(await volt.sessions.end(token)).toBe(true)
    expect(await volt.sessions.end(token)).toBe(false)
    expect(await volt.sessions.find(token)).toBeNull()
    expect(await volt.sessions.refresh(refreshToken)).toBeNull()
    expect(await volt.sessions.isRevoked(jti)).toBe(true)
    expect(await stored(session._id)).toMatchObject({ revokedFor: 'signed_out', revokedAt: expect.any(Date) })
  })

  it('ends one, all, or all others', async () => {
    const { email, _id } = await volt.users.create(aUser({ password }))
    const open = () => volt.signIn.withPassword(email, password)
    const [first, second, third, fourth] = [await open(), await open(), await open(), await open()]
    const alive = async () => (await volt.sessions.list(_id)).map((session) => session._id)
    expect(await alive()).toEqual([fourth, third, second, first].map(({ session }) => session._id))

    await volt.sessions.revoke(_id, first.session._id)
    expect(await alive()).not.toContainEqual(first.session._id)
    expect(await volt.sessions.revokeOthers(_id, second.session._id)).toBe(2)
    expect(await alive()).toEqual([second.session._id])
    expect(await volt.sessions.revokeAll(_id)).toBe(1)
    expect(await alive()).toEqual([])
    expect(await volt.sessions.revokeAll(_id)).toBe(0)
  })

  it('ends no session of somebody else', async () => {
    const [mine, theirs] = [await signedIn(), await signedIn()]
    const revoking = volt.sessions.revoke(mine.user._id, theirs.session._id)
    await expect(revoking).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await volt.sessions.find(theirs.token)).not.toBeNull()
  })

  it('is part of the transaction that it is called in', async () => {
    const { token, user } = await signedIn()
    const failing = volt.transaction(async () => {
      await volt.sessions.revokeAll(user._id)
      throw new Error('not after all')
    })
    await expect(failing).rejects.toThrow('not after all')
    expect(await volt.sessions.find(token)).not.toBeNull()
  })
})

describe('more sessions than a user may have', () => {
  it('end those that were used least recently, and no expired ones in their place', async () => {
    const few = await openVolt(database, { passwords: { rounds: 10 }, sessions: { maximumPerUser: 3 } })
    const { email, _id } = await few.users.create(aUser({ password }))
    const opened: SignedIn<User>[] = []
    for (let count = 0; count < 3; count += 1) opened.push(await few.signIn.withPassword(email, password))
    const [first, second, third] = opened.map(({ session }) => session._id) as [ObjectId, ObjectId, ObjectId]
    await shift(first, { lastUsedAt: new Date(Date.now() + 3_600_000) })
    await shift(third, { expiresAt: ago(1) })
    const fourth = await few.signIn.withPassword(email, password)
    const fifth = await few.signIn.withPassword(email, password)
    const ids = (await few.sessions.list(_id)).map((session) => session._id)
    expect(ids).toEqual([first, fifth.session._id, fourth.session._id])
    expect(await stored(second)).toMatchObject({ revokedFor: 'surplus' })
  })

  it('all end where the limit was lowered', async () => {
    const { email, _id } = await volt.users.create(aUser({ password }))
    for (let count = 0; count < 5; count += 1) await volt.signIn.withPassword(email, password)
    const few = await openVolt(database, { passwords: { rounds: 10 }, sessions: { maximumPerUser: 2 } })
    await few.signIn.withPassword(email, password)
    expect(await few.sessions.list(_id)).toHaveLength(2)
  })
})

describe('a session whose user changes', () => {
  const changes: [what: string, change: (id: ObjectId) => Promise<unknown>][] = [
    ['gets another role', (id) => volt.users.update(id, { role: 'admin' })],
    ['is suspended', (id) => volt.users.update(id, { status: 'suspended' })],
    ['gets another password', (id) => volt.users.update(id, { password: 'another horse' })],
    ['gets the hash of another password', (id) => volt.users.setPasswordHash(id, `$2b$10$${'a'.repeat(53)}`)],
    ['is deleted', (id) => volt.users.delete(id)],
    ['is changed in bulk', (id) => volt.users.bulk([{ update: id, changes: { role: 'faculty' } }])],
    ['is deleted in bulk', (id) => volt.users.bulk([{ delete: id }])],
    [
      'is upserted',
      async (id) => {
        const { email } = await volt.users.get(id)
        return volt.users.upsert({ email }, { email, name: 'Asha', role: 'super-admin' })
      },
    ],
    [
      'resets the password',
      async (id) => {
        const request = await volt.signIn.requestPasswordReset((await volt.users.get(id)).email)
        return volt.signIn.resetPassword(request?.token ?? '', 'another horse')
      },
    ],
  ]

  it.each(changes)('ends where the user %s', async (_, change) => {
    const { session, token, refreshToken, jti, user } = await signedIn()
    await change(user._id)
    expect(await volt.sessions.find(token)).toBeNull()
    expect(await volt.sessions.refresh(refreshToken)).toBeNull()
    expect(await volt.sessions.isRevoked(jti)).toBe(true)
    expect(await stored(session._id)).toMatchObject({ revokedFor: 'user_changed' })
  })

  it('shows the user as it is, also after a write past the library', async () => {
    const { token, jti, user } = await signedIn()
    const users = database.db.collection('users')
    await users.updateOne({ _id: user._id }, { $set: { role: 'faculty' } })
    expect((await volt.sessions.find(token))?.user.role).toBe('faculty')
    await users.updateOne({ _id: user._id }, { $set: { status: 'inactive' } })
    expect(await volt.sessions.find(token)).toBeNull()
    expect(await volt.sessions.isRevoked(jti)).toBe(true)
    await users.deleteOne({ _id: user._id })
    expect(await volt.sessions.find(token)).toBeNull()
  })

  it('goes on where nothing changes that it rests on', async () => {
    const { token, user } = await signedIn()
    await volt.users.update(user._id, { name: 'Asha Rao', role: 'student', profile: { department: 'Physics' } })
    await volt.users.updateStats(user._id, { trades: 1 })
    expect((await volt.sessions.find(token))?.user.name).toBe('Asha Rao')
  })
})
