import { ObjectId } from 'mongodb'
import { beforeAll, expect, it } from 'vitest'
import type { AutoVolt } from '../../../src/autovolt.js'
import type { User } from '../../../src/identity/user.js'
import { aUser } from '../../support/builders.js'
import { setUpDatabase } from '../../support/database.js'
import { openVolt } from '../../support/volt.js'
import type { Role } from './table.js'

const database = setUpDatabase()
const password = 'four-plain-words-here'
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})

async function signedIn(role: Role, times: number): Promise<User> {
  const user = await volt.users.create(aUser({ role, password }))
  for (let time = 0; time < times; time += 1) await volt.signIn.withPassword(user.email, password)
  return user
}

it('are listed and ended by the user whose they are, and audited in the name of the user', async () => {
  const user = await signedIn('student', 4)
  const { sessions } = volt.as(user)
  const [newest, next] = await sessions.list(user._id)
  if (newest === undefined || next === undefined) throw new Error('There are no sessions')
  await sessions.revoke(user._id, next._id)
  expect(await sessions.revokeOthers(user._id.toHexString(), newest._id)).toBe(2)
  expect((await volt.sessions.list(user._id)).map(({ _id }) => _id)).toEqual([newest._id])
  expect(await sessions.revokeAll(user._id)).toBe(1)
  const ends = await volt.auditLog.find({ entityId: user._id, action: 'session_ended' })
  expect(new Set(ends.map(({ actor }) => actor))).toEqual(new Set([user._id.toHexString()]))
})

it('of others are denied, and the denial is audited', async () => {
  const [user, other] = [await signedIn('admin', 1), await signedIn('student', 1)]
  const { sessions } = volt.as(user)
  const [session] = await volt.sessions.list(other._id)
  const refused = { code: 'ACCESS_DENIED', entity: 'sessions', action: 'use', id: other._id.toHexString() }
  await expect(sessions.list(other._id)).rejects.toMatchObject(refused)
  await expect(sessions.revoke(other._id, session?._id ?? '')).rejects.toMatchObject(refused)
  await expect(sessions.revokeAll(other._id)).rejects.toMatchObject(refused)
  await expect(sessions.revokeOthers(other._id, new ObjectId())).rejects.toMatchObject(refused)
  // With the user's own id another's session is not there.
  await expect(sessions.revoke(user._id, session?._id ?? '')).rejects.toMatchObject({ code: 'NOT_FOUND' })
  expect(await volt.sessions.list(other._id)).toHaveLength(1)
  expect(await volt.auditLog.count({ action: 'access_denied', entityId: other._id })).toBe(4)
})

it('of everybody are ended by a super-administrator, and of nobody by one who is not active', async () => {
  const [chief, other] = [await signedIn('super-admin', 1), await signedIn('student', 2)]
  expect(await volt.as(chief).sessions.revokeAll(other._id)).toBe(2)
  const former = await signedIn('student', 1)
  await volt.users.update(former._id, { status: 'suspended' })
  await expect(volt.as(former).sessions.list(former._id)).rejects.toMatchObject({ code: 'ACCESS_DENIED' })
})

it('are found by no token', () => {
  const { sessions } = volt.as(new ObjectId())
  expect(Object.keys(sessions).toSorted()).toEqual(['list', 'revoke', 'revokeAll', 'revokeOthers'])
})
