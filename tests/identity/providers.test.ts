import type { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { change } from '../../src/core/repository/changes.js'
import type { ProviderIdentity } from '../../src/identity/providers/provider-sign-in.js'
import { aUser, keyRing } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = setUpDatabase()
const password = 'correct horse'
let volt: AutoVolt
let linking: AutoVolt
let made = 0

beforeAll(async () => {
  volt = await openVolt(database, { passwords: { rounds: 10 } })
  linking = await openVolt(database, { passwords: { rounds: 10 }, providers: { linkByVerifiedAddress: true } })
  await volt.setup()
})

function anAccount(overrides: Partial<ProviderIdentity> = {}): ProviderIdentity {
  made += 1
  return { provider: 'google', providerId: `id-${made}`, ...overrides }
}

const stored = (_id: ObjectId) => database.db.collection('users').findOne({ _id })
const unlinked = { code: 'SIGN_IN_REFUSED', reason: 'unlinked' }

describe('signing in by a provider', () => {
  it('makes a user where there is none, and finds it the next time', async () => {
    const { email } = aUser()
    const account = anAccount({ email: email.toUpperCase(), emailVerified: true, name: ' Asha Rao ' })
    const first = await volt.signIn.withProvider(account, { ip: '192.0.2.7' })
    expect(first.user).toMatchObject({ email, name: 'Asha Rao', role: 'student', emailVerifiedAt: expect.any(Date) })
    expect((await volt.sessions.find(first.token))?.user._id).toEqual(first.user._id)
    const again = await volt.signIn.withProvider({ provider: account.provider, providerId: account.providerId })
    expect(again.user._id).toEqual(first.user._id)
    const records = await volt.auditLog.find({ entityId: first.user._id, action: 'signed_in' })
    expect(records.map(({ details }) => details?.provider)).toEqual(['google', 'google'])
  })

  it('keeps providers and spellings of ids apart', async () => {
    const google = anAccount({ email: aUser().email, providerId: `Case-${made}` })
    const { user } = await volt.signIn.withProvider(google)
    await expect(volt.signIn.withProvider({ ...google, provider: 'apple' })).rejects.toMatchObject(unlinked)
    const other = volt.signIn.withProvider({ ...google, providerId: google.providerId.toLowerCase() })
    await expect(other).rejects.toMatchObject(unlinked)
    expect(await volt.users.findByAuth('google', google.providerId)).toMatchObject({ _id: user._id })
  })

  it('gives nobody the user of an address, unless the host says so and both sides have verified it', async () => {
    const verified = await volt.users.create(aUser({ password, emailVerifiedAt: new Date() }))
    const unverified = await volt.users.create(aUser({ password }))
    const same = (email: string, emailVerified: boolean) => anAccount({ email, emailVerified })
    await expect(volt.signIn.withProvider(same(verified.email, true))).rejects.toMatchObject(unlinked)
    await expect(linking.signIn.withProvider(same(verified.email, false))).rejects.toMatchObject(unlinked)
    await expect(linking.signIn.withProvider(same(unverified.email, true))).rejects.toMatchObject(unlinked)

    const before = await volt.signIn.withPassword(verified.email, password)
    const account = same(verified.email.toUpperCase(), true)
    expect((await linking.signIn.withProvider(account)).user._id).toEqual(verified._id)
    expect(await volt.sessions.find(before.token)).toBeNull()
    expect((await volt.signIn.withProvider(account)).user._id).toEqual(verified._id)
    // A second account of the same provider is another person's.
    await expect(linking.signIn.withProvider(same(verified.email, true))).rejects.toMatchObject(unlinked)
    expect(await volt.auditLog.count({ entityId: verified._id, action: 'provider_added' })).toBe(1)
  })

  it('needs an address for a new user, and says the same whatever is wrong', async () => {
    await expect(volt.signIn.withProvider(anAccount())).rejects.toMatchObject(unlinked)
    const suspended = anAccount({ email: aUser().email })
    const { user } = await volt.signIn.withProvider(suspended)
    await volt.users.update(user._id, { status: 'suspended' })
    const refused = volt.signIn.withProvider(suspended)
    await expect(refused).rejects.toMatchObject({ code: 'SIGN_IN_REFUSED', reason: 'suspended' })
  })

  it('lets in who is locked out for wrong passwords, and counts none', async () => {
    const { _id, email } = await volt.users.create(aUser({ password }))
    const account = anAccount()
    await volt.users.addAuthProvider(_id, account)
    for (let attempt = 0; attempt < 5; attempt += 1)
      await volt.signIn.withPassword(email, 'wrong one').catch(() => undefined)
    await volt.signIn.withProvider(account)
    await expect(volt.signIn.withPassword(email, password)).rejects.toMatchObject({ reason: 'locked' })
  })

  it('makes one user of many that come at once', async () => {
    const account = anAccount({ email: aUser().email })
    const all = await Promise.all(Array.from({ length: 20 }, () => volt.signIn.withProvider(account)))
    expect(new Set(all.map(({ user }) => user._id.toHexString())).size).toBe(1)
  })

  it('takes no operators, and no provider that is none', async () => {
    const { email } = aUser()
    const injected: unknown[] = [
      null,
      { provider: 'google', providerId: { $ne: null } },
      { provider: { $gt: '' }, providerId: '1' },
      { provider: 'local', providerId: '1' },
      { provider: 'Google', providerId: '1' },
      { provider: 'google', providerId: '' },
      { provider: 'google', providerId: '1', email: { $ne: null } },
      { provider: 'google', providerId: '1', email, role: 'admin' },
    ]
    for (const identity of injected) {
      const attempted = volt.signIn.withProvider(identity as ProviderIdentity)
      await expect(attempted).rejects.toMatchObject({ code: 'VALIDATION' })
    }
    for (const [provider, id] of [
      ['google', { $ne: null }],
      [{ $gt: '' }, '1'],
      ['local', { $ne: null }],
      ['local', 'no id'],
    ])
      expect(await volt.users.findByAuth(provider as string, id as string)).toBeNull()
  })
})

describe('the accounts of a user', () => {
  it('are added and taken away, with other sessions and the log', async () => {
    const { _id, email } = await volt.users.create(aUser({ password }))
    const [mine, other] = [
      await volt.signIn.withPassword(email, password),
      await volt.signIn.withPassword(email, password),
    ]
    const session = mine.session._id
    const account = anAccount()
    await volt.users.addAuthProvider(_id, account, { session })
    await volt.users.addAuthProvider(_id, account, { session })
    expect(await volt.sessions.find(mine.token)).not.toBeNull()
    expect(await volt.sessions.find(other.token)).toBeNull()
    expect(await volt.users.findByAuth('google', account.providerId)).toMatchObject({ _id })
    expect(await volt.users.findByAuth('local', _id.toHexString())).toMatchObject({ _id })

    await volt.users.removeAuthProvider(_id, 'google', { session })
    expect(await volt.users.findByAuth('google', account.providerId)).toBeNull()
    await expect(volt.users.removeAuthProvider(_id, 'google')).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await volt.sessions.find(mine.token)).not.toBeNull()
    const actions = (await volt.auditLog.find({ entityId: _id }, { sort: { at: 1, _id: 1 } })).map(
      ({ action }) => action,
    )
    expect(actions.filter((action) => action.startsWith('provider'))).toEqual(['provider_added', 'provider_removed'])
  })

  it('are nobody else’s, one for each provider, until their user is deleted', async () => {
    const [one, other] = [await volt.users.create(aUser()), await volt.users.create(aUser())]
    const account = anAccount()
    await volt.users.addAuthProvider(one._id, account)
    const taken = volt.users.addAuthProvider(other._id, account)
    await expect(taken).rejects.toMatchObject({ code: 'CONFLICT', fields: ['authKeys'] })
    await expect(volt.users.addAuthProvider(one._id, anAccount())).rejects.toMatchObject({ code: 'CONFLICT' })
    await expect(volt.users.createUser(aUser().email, 'Ravi', account)).rejects.toMatchObject({ code: 'CONFLICT' })
    await volt.users.delete(one._id)
    await volt.users.addAuthProvider(other._id, account)
    await expect(volt.users.restore(one._id)).rejects.toMatchObject({ code: 'CONFLICT' })
  })

  it('are not taken away where they are the last way in, also of two that go at once', async () => {
    const only = await volt.users.createUser(aUser().email, 'Ravi', anAccount({ provider: 'tuya' }))
    const last = volt.users.removeAuthProvider(only._id, 'tuya')
    await expect(last).rejects.toMatchObject({ code: 'LAST_WAY_IN' })
    for (let round = 0; round < 5; round += 1) {
      const { _id } = await volt.users.createUser(aUser().email, 'Ravi', anAccount({ provider: 'tuya' }))
      await volt.users.addAuthProvider(_id, anAccount())
      const outcomes = await Promise.allSettled([
        volt.users.removeAuthProvider(_id, 'tuya'),
        volt.users.removeAuthProvider(_id, 'google'),
      ])
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
      expect((await stored(_id))?.authKeys).toHaveLength(1)
    }
  })

  it('are not taken away where they are the last way in, by whatever write', async () => {
    const tokens = { accessToken: 'a token' }
    const { _id, email } = await volt.users.createUser(
      aUser().email,
      'Ravi',
      anAccount({ provider: 'tuya', ...tokens }),
    )
    const before = await stored(_id)
    const removals: (() => Promise<unknown>)[] = [
      () => volt.users.update(_id, { authKeys: [] }),
      () => volt.users.update(_id, { authKeys: change.unset() }),
      () => volt.users.update(_id, { authKeys: change.pull(before?.authKeys[0]) }),
      () => volt.users.upsert({ email }, { email, name: 'Ravi', authKeys: [] }),
      () => volt.users.bulk([{ update: _id, changes: { authKeys: [] } }]),
    ]
    for (const remove of removals) await expect(remove()).rejects.toMatchObject({ code: 'LAST_WAY_IN' })
    expect(await stored(_id)).toEqual(before)
    expect(await volt.users.revealProviderToken(_id, 'tuya', 'accessToken')).toBe('a token')
    // With a password there is another way in: then the tokens go with the account.
    await volt.users.update(_id, { password, authKeys: [] })
    expect(await database.db.collection('user_provider_tokens').countDocuments({ user: _id })).toBe(0)
    expect(await volt.auditLog.count({ entityId: _id, action: 'provider_removed' })).toBe(1)
  })

  it('that were linked before an address was proved go with the first proof of it', async () => {
    const { email } = aUser()
    const thief = await volt.users.createUser(email, 'Thief', anAccount({ provider: 'tuya', accessToken: 'a token' }))
    const request = await volt.signIn.requestPasswordReset(email)
    await volt.signIn.resetPassword(request?.token ?? '', 'another horse')
    expect(await stored(thief._id)).not.toHaveProperty('authKeys')
    await volt.users.addAuthProvider(thief._id, anAccount())
    const second = await volt.signIn.requestPasswordReset(email)
    await volt.signIn.resetPassword(second?.token ?? '', 'a third horse')
    expect((await stored(thief._id))?.authKeys).toHaveLength(1)
  })

  it('have tokens that are sealed, and in nothing that is read', async () => {
    const tokens = { accessToken: 'an access token', refreshToken: 'a refresh token' }
    const user = await volt.users.createUser(aUser().email, 'Ravi', anAccount({ provider: 'tuya', ...tokens }))
    const { _id } = user
    expect(await volt.users.revealProviderToken(_id, 'tuya', 'accessToken')).toBe('an access token')
    await volt.users.addAuthProvider(_id, {
      provider: 'tuya',
      providerId: (await stored(_id))?.authKeys[0].slice('tuya:'.length),
      accessToken: 'a newer one',
    })
    expect(await volt.users.revealProviderToken(_id, 'tuya', 'accessToken')).toBe('a newer one')
    expect(await volt.users.revealProviderToken(_id, 'tuya', 'refreshToken')).toBe('a refresh token')
    const kept = JSON.stringify([
      await database.db.collection('user_provider_tokens').find().toArray(),
      await database.db.collection('audit_logs').find().toArray(),
      user,
      volt.users.toSafeObject(user),
    ])
    expect(kept).not.toMatch(/an access token|a newer one|a refresh token/)
    expect(volt.users.toSafeObject(user)).not.toHaveProperty('authKeys')

    const rotated = await openVolt(database, { keys: keyRing('second', 'first') })
    expect(await rotated.resealSecrets()).toBeGreaterThanOrEqual(2)
    expect(await rotated.users.revealProviderToken(_id, 'tuya', 'refreshToken')).toBe('a refresh token')

    await volt.users.update(_id, { password })
    await rotated.users.removeAuthProvider(_id, 'tuya')
    const revealing = rotated.users.revealProviderToken(_id, 'tuya', 'accessToken')
    await expect(revealing).rejects.toMatchObject({ code: 'NOT_FOUND' })
    expect(await database.db.collection('user_provider_tokens').countDocuments({ user: _id })).toBe(0)
  })

  it('are in the statistics, by way in', async () => {
    const before = (await volt.users.getStatistics()).byProvider
    const { _id } = await volt.users.create(aUser({ password }))
    await volt.users.addAuthProvider(_id, anAccount({ provider: 'apple' }))
    await volt.users.create(aUser())
    const after = (await volt.users.getStatistics()).byProvider
    expect((after.local ?? 0) - (before.local ?? 0)).toBe(1)
    expect((after.apple ?? 0) - (before.apple ?? 0)).toBe(1)
    expect(after.google).toBe(before.google)
  })

  it('are found in an index', async () => {
    const { queryPlanner } = await database.db
      .collection('users')
      .find({ authKeys: 'google:1', deletedAt: null })
      .explain('queryPlanner')
    expect(JSON.stringify(queryPlanner.winningPlan)).toContain('authKeys_1')
  })
})
