import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { aUser } from '../support/builders.js'
import { type Child, startChild } from '../support/child.js'
import { testDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()
const password = 'correct horse'
const guessers: Child[] = []
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database, { passwords: { rounds: 10 } })
  await volt.setup()
  const env = { MONGODB_URI: database.uri, DB_NAME: database.dbName }
  const file = new URL('./processes/guesser.ts', import.meta.url)
  for (let number = 0; number < 8; number += 1) guessers.push(startChild(file, { env }))
  await Promise.all(guessers.map((guesser) => guesser.next('ready')))
})

async function tryAll(email: string, passwordsOf: (process: number) => string[]): Promise<string[]> {
  guessers.forEach((guesser, at) => {
    guesser.send({ type: 'try', email, passwords: passwordsOf(at) })
  })
  const answers = await Promise.all(guessers.map((guesser) => guesser.next('tried')))
  return answers.flatMap(({ outcomes }) => outcomes as string[])
}

describe('eight processes that try passwords of one user', () => {
  it('have five that are judged, whatever comes at once', async () => {
    const { _id, email } = await volt.users.create(aUser({ password }))
    const outcomes = await tryAll(email, (process) => Array.from({ length: 6 }, (_, at) => `guess ${process}-${at}`))
    // The fifth is told that it was the last.
    expect(outcomes.filter((outcome) => outcome === 'wrong')).toHaveLength(4)
    expect(outcomes.filter((outcome) => outcome === 'locked')).toHaveLength(44)
    expect(await volt.users.get(_id)).toMatchObject({ loginAttempts: 5 })
    await expect(volt.signIn.withPassword(email, password)).rejects.toMatchObject({ reason: 'locked' })
  }, 600_000)

  it('get in with the right one only before the fifth wrong one', async () => {
    for (let round = 0; round < 3; round += 1) {
      const { _id, email } = await volt.users.create(aUser({ password }))
      const outcomes = await tryAll(email, (process) =>
        [`guess ${process}-0`, `guess ${process}-1`, `guess ${process}-2`].concat(process === round ? [password] : []),
      )
      const { loginAttempts = 0, lockUntil } = await volt.users.get(_id)
      const wrong = outcomes.filter((outcome) => outcome === 'wrong').length
      // Of 24 wrong ones at most four went by before the right one, and at most four after it before the lock.
      expect(wrong).toBeLessThanOrEqual(outcomes.includes('in') ? 8 : 4)
      expect(loginAttempts).toBe(5)
      expect(lockUntil).toBeInstanceOf(Date)
    }
  }, 600_000)

  it('do not lock out who signs in everywhere at once', async () => {
    const { _id, email } = await volt.users.create(aUser({ password }))
    const outcomes = await tryAll(email, () => [password, password])
    expect(outcomes).toEqual(Array.from({ length: 16 }, () => 'in'))
    expect(await volt.users.get(_id)).toMatchObject({ loginAttempts: 0 })
  }, 600_000)

  it('renew one old hash at once, and all get in', async () => {
    const { hashSync } = await import('bcryptjs')
    const { _id, email } = await volt.users.create(aUser())
    await volt.users.setPasswordHash(_id, hashSync('old one', 4))
    const outcomes = await tryAll(email, () => ['old one'])
    expect(outcomes).toEqual(Array.from({ length: 8 }, () => 'in'))
    const kept = await database.db.collection('users').findOne({ _id })
    expect(kept?.password).toMatch(/^\$2b\$10\$/)
  }, 600_000)
})
