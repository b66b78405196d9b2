import type { ObjectId } from 'mongodb'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { aUser } from '../support/builders.js'
import { setUpDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = setUpDatabase()
const password = 'correct horse'
let volt: AutoVolt

beforeAll(async () => {
  // As long as can be: a test on a busy machine takes its time.
  volt = await openVolt(database, { passwords: { rounds: 10 }, sessions: { graceMs: 60_000 } })
  await volt.setup()
})

const sessions = () => database.db.collection('user_sessions')
/** As if the token before had been used so long ago. */
const useLongAgo = (_id: ObjectId, ms: number) =>
  sessions().updateOne({ _id }, { $set: { 'predecessor.usedAt': new Date(Date.now() - ms) } })

async function signedIn() {
  const { email } = await volt.users.create(aUser({ password }))
  return volt.signIn.withPassword(email, password)
}

async function refreshed(refreshToken: string) {
  const result = await volt.sessions.refresh(refreshToken)
  if (result === null) throw new Error('There was no session')
  return result
}

describe('a refresh token', () => {
  it('gives new tokens in place of both, and the user as it is now', async () => {
    const first = await signedIn()
    const second = await refreshed(first.refreshToken)
    expect(second.token).not.toBe(first.token)
    expect(second.refreshToken).not.toBe(first.refreshToken)
    expect(second).toMatchObject({ jti: first.jti, user: { _id: first.user._id }, session: { _id: first.session._id } })
    expect(second.issuedAt.getTime()).toBeGreaterThanOrEqual(first.issuedAt.getTime())
    expect(await volt.sessions.find(first.token)).toBeNull()
    expect(await volt.sessions.find(second.token)).not.toBeNull()
    const third = await refreshed(second.refreshToken)
    expect(await volt.sessions.find(third.token)).not.toBeNull()
  })

  it('gives the same tokens again for some seconds, to a second tab', async () => {
    const { refreshToken, session } = await signedIn()
    const answers = await Promise.all(Array.from({ length: 10 }, () => refreshed(refreshToken)))
    const [first] = answers
    for (const answer of answers) {
      expect([answer.token, answer.refreshToken]).toEqual([first?.token, first?.refreshToken])
    }
    await useLongAgo(session._id, 40_000)
    expect((await refreshed(refreshToken)).token).toBe(first?.token)
    expect(await volt.sessions.find(first?.token ?? '')).not.toBeNull()
  })

  it('ends the session where it is used again later, for whoever has a token of it', async () => {
    const first = await signedIn()
    const second = await refreshed(first.refreshToken)
    // What is used again within the grace period does not make it longer.
    await useLongAgo(first.session._id, 40_000)
    await refreshed(first.refreshToken)
    await useLongAgo(first.session._id, 60_100)
    expect(await volt.sessions.refresh(first.refreshToken)).toBeNull()
    expect(await volt.sessions.find(second.token)).toBeNull()
    expect(await volt.sessions.refresh(second.refreshToken)).toBeNull()
    expect(await sessions().findOne({ _id: first.session._id })).toMatchObject({ revokedFor: 'token_reused' })
    const records = await volt.auditLog.find({ entityId: first.user._id, action: 'token_reused' })
    expect(records).toMatchObject([{ entity: 'user', details: { session: first.session._id } }])
  })

  it('ends the session however old it is', async () => {
    const first = await signedIn()
    let { refreshToken, token } = first
    for (let round = 0; round < 3; round += 1) ({ refreshToken, token } = await refreshed(refreshToken))
    expect(await volt.sessions.refresh(first.refreshToken)).toBeNull()
    expect(await volt.sessions.find(token)).toBeNull()
  })

  it('that nobody was ever given ends no session', async () => {
    const { refreshToken, token } = await signedIn()
    const bytes = Buffer.from(refreshToken, 'base64url')
    // The id of a session is no secret: whoever knows it has not had a token of it.
    const forged = Buffer.concat([bytes.subarray(0, 12), Buffer.alloc(64, 7)]).toString('base64url')
    expect(await volt.sessions.refresh(forged)).toBeNull()
    const otherSpelling = `${refreshToken.slice(0, -1)}${refreshToken.endsWith('A') ? 'B' : `${refreshToken.at(-1)}`}=`
    expect(await volt.sessions.refresh(otherSpelling)).toBeNull()
    expect(await volt.sessions.find(token)).not.toBeNull()
    await refreshed(refreshToken)
  })

  it('is none of a session’s own token, nor the other way round', async () => {
    const { refreshToken, token } = await signedIn()
    expect(await volt.sessions.find(refreshToken)).toBeNull()
    expect(await volt.sessions.refresh(token)).toBeNull()
  })

  it('leaves nothing alive where it is used again while another is being refreshed', async () => {
    for (let round = 0; round < 5; round += 1) {
      const first = await signedIn()
      let last = await refreshed(first.refreshToken)
      await useLongAgo(first.session._id, 61_000)
      const others = [volt.sessions.refresh(first.refreshToken), volt.sessions.refresh(last.refreshToken)]
      const [, next] = await Promise.all(others)
      last = next ?? last
      expect(await volt.sessions.find(last.token)).toBeNull()
      expect(await volt.sessions.refresh(last.refreshToken)).toBeNull()
    }
  })

  it('gives nothing to a user who is not active any more', async () => {
    const { refreshToken, user } = await signedIn()
    await database.db.collection('users').updateOne({ _id: user._id }, { $set: { status: 'suspended' } })
    expect(await volt.sessions.refresh(refreshToken)).toBeNull()
  })

  it('is used up even where the transaction around it is rolled back', async () => {
    const first = await signedIn()
    let second = first
    const failing = volt.transaction(async () => {
      second = await refreshed(first.refreshToken)
      throw new Error('not after all')
    })
    await expect(failing).rejects.toThrow('not after all')
    expect(await volt.sessions.find(second.token)).not.toBeNull()
    expect(await volt.sessions.find(first.token)).toBeNull()
  })
})
