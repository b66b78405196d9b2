import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { AutoVolt } from '../../src/autovolt.js'
import { emailAddress } from '../../src/identity/email-address.js'
import { aUser } from '../support/builders.js'
import { testDatabase } from '../support/database.js'
import { openVolt } from '../support/volt.js'

const database = testDatabase()
let volt: AutoVolt

beforeAll(async () => {
  volt = await openVolt(database)
  await volt.setup()
})

describe('an e-mail address', () => {
  it.each([
    [' Asha.Rao@Example.ORG\n', 'asha.rao@example.org'],
    ['ÉMILE@écoles.example', 'émile@écoles.example'],
    ['a+b@localhost', 'a+b@localhost'],
  ])('%j is kept as %j', (text, kept) => {
    expect(emailAddress().parse(text)).toBe(kept)
  })

  it.each(['', 'asha', '@example.org', 'asha@', 'a@b@c', 'a b@example.org', 'Asha <asha@example.org>', 'a@x,b@y'])(
    'is not %j',
    (text) => {
      expect(emailAddress().safeParse(text).success).toBe(false)
    },
  )

  it('stays the same however often it is read', () => {
    const text = fc
      .tuple(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }))
      .map((both) => both.join('@'))
    fc.assert(
      fc.property(text, (given) => {
        const once = emailAddress().safeParse(given)
        if (once.success) expect(emailAddress().parse(once.data)).toBe(once.data)
      }),
    )
  })
})

describe('the users', () => {
  it('have one user for an address, whatever its spelling', async () => {
    const user = await volt.users.create(aUser({ email: 'Asha@Example.org' }))
    expect(user).toMatchObject({ email: 'asha@example.org', userType: 'consumer', status: 'active' })
    expect(await volt.users.findOne({ email: 'ASHA@example.org ' })).toEqual(user)
    await expect(volt.users.create(aUser({ email: 'asha@EXAMPLE.org' }))).rejects.toMatchObject({
      code: 'CONFLICT',
      fields: ['email'],
    })
  })

  it('have no address in another spelling, even past the library', async () => {
    const { _id } = await volt.users.create(aUser())
    const users = database.db.collection('users')
    await expect(users.updateOne({ _id }, { $set: { email: 'Asha@example.org' } })).rejects.toMatchObject({ code: 121 })
  })

  it('free the address of one who is deleted', async () => {
    const { _id } = await volt.users.create(aUser({ email: 'ravi@example.org' }))
    await volt.users.delete(_id)
    const successor = await volt.users.create(aUser({ email: 'ravi@example.org', userType: 'prosumer' }))
    expect(await volt.users.findOne({ email: 'ravi@example.org' })).toEqual(successor)
  })
})
