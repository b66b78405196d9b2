import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { isCommonPassword } from '../../src/identity/passwords/common-passwords.js'
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

describe('changing a password', () => {
  it('takes the present one, ends all sessions but one, and is in the log', async () => {
    const { _id, email } = await volt.users.create(aUser({ password }))
    const [mine, other] = [
      await volt.signIn.withPassword(email, password),
      await volt.signIn.withPassword(email, password),
    ]
    await volt.signIn.changePassword(_id, password, next, { session: mine.session._id })
    expect(await volt.sessions.find(mine.token)).not.toBeNull()
    expect(await volt.sessions.find(other.token)).toBeNull()
    await expect(volt.signIn.withPassword(email, password)).rejects.toMatchObject({ reason: 'wrong' })
    await volt.signIn.withPassword(email, next)
    expect(await volt.auditLog.count({ entityId: _id, action: 'password_changed' })).toBe(1)

    await volt.signIn.changePassword(_id, next, password)
    expect(await volt.sessions.list(_id)).toEqual([])
  })

  it('counts wrong ones as attempts to sign in', async () => {
    const { _id, email } = await volt.users.create(aUser({ password }))
    for (let attempt = 1; attempt < 5; attempt += 1) {
      const attempted = volt.signIn.changePassword(_id, 'wrong one', next)
      await expect(attempted).rejects.toMatchObject({ code: 'SIGN_IN_REFUSED', reason: 'wrong' })
    }
    await expect(volt.signIn.changePassword(_id, 'wrong one', next)).rejects.toMatchObject({ reason: 'locked' })
    await expect(volt.signIn.changePassword(_id, password, next)).rejects.toMatchObject({ reason: 'locked' })
    await expect(volt.signIn.withPassword(email, password)).rejects.toMatchObject({ reason: 'locked' })
  })

  it('is not for who is shut out, or is nobody', async () => {
    const { _id } = await volt.users.create(aUser({ password, status: 'suspended' }))
    await expect(volt.signIn.changePassword(_id, password, next)).rejects.toMatchObject({ reason: 'suspended' })
    const nobody = volt.signIn.changePassword('65f0a1b2c3d4e5f6a7b8c9d0', password, next)
    await expect(nobody).rejects.toMatchObject({ reason: 'wrong' })
    const without = await volt.users.create(aUser())
    await expect(volt.signIn.changePassword(without._id, '', next)).rejects.toMatchObject({ reason: 'wrong' })
  })

  it('is done by one only of many that try at once', async () => {
    const { _id, email } = await volt.users.create(aUser({ password }))
    const attempts = Array.from({ length: 5 }, (_, at) =>
      volt.signIn.changePassword(_id, password, `horse number ${at}`),
    )
    const outcomes = await Promise.allSettled(attempts)
    const winners = outcomes.flatMap(({ status }, at) => (status === 'fulfilled' ? [at] : []))
    expect(winners).toHaveLength(1)
    await volt.signIn.unlock(_id)
    await volt.signIn.withPassword(email, `horse number ${winners[0]}`)
  })

  it('takes no operators, and no new password that is not to be used', async () => {
    const { _id } = await volt.users.create(aUser({ password }))
    for (const candidate of ['short', 'password', { $ne: null }, null, 'x'.repeat(73)]) {
      const attempted = volt.signIn.changePassword(_id, password, candidate as string)
      await expect(attempted).rejects.toMatchObject({ code: 'VALIDATION' })
    }
    const injected = volt.signIn.changePassword(_id, { $ne: null } as never, next)
    await expect(injected).rejects.toMatchObject({ reason: 'wrong' })
    for (const options of [{ session: 'mine' }, { client: { ip: 'here' } }, { keep: true }, null]) {
      const attempted = volt.signIn.changePassword(_id, password, next, options as never)
      await expect(attempted).rejects.toMatchObject({ code: 'VALIDATION' })
    }
  })
})

describe('a password that is among the first to be guessed', () => {
  it.each(['password', 'Password', '12345678', 'iloveyou', 'QWERTYUIOP'])('is refused: %s', async (common) => {
    expect(isCommonPassword(common)).toBe(true)
    await expect(volt.users.create(aUser({ password: common }))).rejects.toMatchObject({
      code: 'VALIDATION',
      issues: [{ path: 'password', message: 'is too well known to be used' }],
    })
  })

  it('is the whole of one: what has such a word in it is taken', async () => {
    await volt.users.create(aUser({ password: 'password of a horse' }))
  })
})
