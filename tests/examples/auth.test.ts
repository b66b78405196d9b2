import type { FastifyInstance } from 'fastify'
import { beforeAll, describe, expect, it } from 'vitest'
import { authService } from '../../examples/auth/auth-service.js'
import type { AutoVolt } from '../../src/autovolt.js'
import { aDevice, aUser } from '../support/builders.js'
import { cleanUpLater } from '../support/clean-up.js'
import { testDatabase } from '../support/database.js'
import { eventually } from '../support/eventually.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()
const password = 'correct horse'
const mails: { to: string; text: string }[] = []
let volt: AutoVolt
let app: FastifyInstance

beforeAll(async () => {
  volt = await openVolt(database, { passwords: { rounds: 10 } })
  await volt.setup()
  app = authService(volt, async (to, text) => void mails.push({ to, text }))
  cleanUpLater(() => app.close())
})

const post = (url: string, payload: object = {}, token = '') =>
  app.inject({ method: 'POST', url, payload, headers: { authorization: `Bearer ${token}`, 'user-agent': 'Test/1' } })
const get = (url: string, token: string) =>
  app.inject({ method: 'GET', url, headers: { authorization: `Bearer ${token}` } })

async function mailedToken(email: string): Promise<string> {
  const mail = await eventually('a mail', () => mails.find(({ to }) => to === email))
  mails.splice(0)
  return mail.text.split(': ').at(-1) ?? ''
}

async function registered() {
  const { email } = aUser()
  expect((await post('/register', { email, name: 'Asha', password })).statusCode).toBe(202)
  expect((await post('/verify', { token: await mailedToken(email) })).statusCode).toBe(204)
  return email
}

async function signedIn(email: string) {
  const answer = await post('/sign-in', { email, password })
  expect(answer.statusCode).toBe(200)
  return answer.json<{ token: string; refreshToken: string }>()
}

describe('the example service', () => {
  it('lets in who has registered and verified the address, and nobody before', async () => {
    const { email } = aUser()
    await post('/register', { email, name: 'Asha', password })
    const token = await mailedToken(email)
    const early = await post('/sign-in', { email, password })
    const wrong = await post('/sign-in', { email: 'nobody@example.org', password })
    expect([early.statusCode, early.body]).toEqual([401, wrong.body])
    expect((await post('/verify', { token })).statusCode).toBe(204)
    expect((await post('/verify', { token })).statusCode).toBe(400)
    const session = await signedIn(email)
    expect((await get('/sessions', session.token)).json()).toMatchObject([
      { isThis: true, client: { userAgent: 'Test/1' } },
    ])
  })

  it('answers the same where an address is taken, and mails its owner alone', async () => {
    const email = await registered()
    const again = await post('/register', { email, name: 'Mallory', password: 'another horse' })
    expect([again.statusCode, again.body]).toEqual([202, ''])
    expect(await eventually('a mail', () => mails.find(({ to }) => to === email))).toMatchObject({
      text: expect.stringContaining('already'),
    })
    await signedIn(email)
  })

  it('takes nothing beside what a stranger may choose', async () => {
    for (const extra of [{ role: 'admin' }, { status: 'active' }, { emailVerifiedAt: new Date() }, { _id: 'a' }]) {
      const answer = await post('/register', { email: aUser().email, name: 'Mallory', password, ...extra })
      expect(answer.statusCode).toBe(400)
    }
    expect((await post('/sign-in', { email: { $ne: null }, password: { $ne: null } })).statusCode).toBe(400)
  })

  it('refreshes, signs out, and signs out everywhere', async () => {
    const email = await registered()
    const [first, second] = [await signedIn(email), await signedIn(email)]
    const refreshed = (await post('/refresh', { refreshToken: first.refreshToken })).json<{ token: string }>()
    expect((await get('/sessions', first.token)).statusCode).toBe(401)
    expect((await get('/sessions', refreshed.token)).json()).toHaveLength(2)
    expect((await post('/sign-out', {}, refreshed.token)).statusCode).toBe(204)
    expect((await get('/sessions', refreshed.token)).statusCode).toBe(401)
    expect((await post('/sign-out-everywhere', {}, second.token)).json()).toEqual({ ended: 1 })
    expect((await post('/refresh', { refreshToken: second.refreshToken })).statusCode).toBe(401)
  })

  it('ends one of the sessions, of one’s own only', async () => {
    const [mine, theirs] = [await signedIn(await registered()), await signedIn(await registered())]
    const [session] = (await get('/sessions', theirs.token)).json<{ _id: string }[]>()
    const end = (token: string) =>
      app.inject({
        method: 'DELETE',
        url: `/sessions/${session?._id}`,
        headers: { authorization: `Bearer ${token}` },
      })
    expect((await end(mine.token)).statusCode).toBe(404)
    expect((await end(theirs.token)).statusCode).toBe(204)
  })

  it('resets a password, which ends all sessions', async () => {
    const email = await registered()
    const { token } = await signedIn(email)
    expect((await post('/forgot', { email: 'nobody@example.org' })).statusCode).toBe(202)
    expect((await post('/forgot', { email })).statusCode).toBe(202)
    const reset = await post('/reset', { token: await mailedToken(email), password: 'battery staple' })
    expect(reset.statusCode).toBe(204)
    expect((await get('/sessions', token)).statusCode).toBe(401)
    expect((await post('/sign-in', { email, password })).statusCode).toBe(401)
    expect((await post('/sign-in', { email, password: 'battery staple' })).statusCode).toBe(200)
  })

  it('lists the devices of who is signed in', async () => {
    const email = await registered()
    const { token } = await signedIn(email)
    const found = await volt.sessions.find(token)
    if (found === null) throw new Error('Nobody is signed in')
    const mine = await volt.devices.create(aDevice({ owner: found.user._id }))
    await volt.devices.create(aDevice())
    const devices = (await get('/devices', token)).json<{ _id: string; name: string }[]>()
    expect(devices.map(({ name }) => name)).toEqual([mine.name])
    expect((await get('/devices', 'a'.repeat(43))).statusCode).toBe(401)
  })
})
