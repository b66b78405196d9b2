import { ObjectId } from 'mongodb'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { defineEntity } from '../../src/core/entity.js'
import { objectId } from '../../src/core/fields.js'
import { leaseEntity } from '../../src/core/lease-entity.js'
import { type PersonalDeclaration, undeclaredFields } from '../../src/core/personal-fields.js'
import { classroomEntity } from '../../src/devices/classroom.js'
import { chosenEntities } from '../../src/domains.js'
import { userEntity } from '../../src/identity/user.js'
import { subjectPlans } from '../../src/privacy/subject-plan.js'

const fields = {
  customer: objectId(),
  payers: z.array(objectId()),
  signers: z.array(z.strictObject({ user: objectId().optional(), at: z.date() })),
  author: z.string().optional(),
  note: z.string().optional(),
  issuedAt: z.date(),
}

function invoiceWith(personal: unknown) {
  return defineEntity({
    name: 'invoice',
    collection: 'invoices',
    personal: personal as PersonalDeclaration,
    fields,
  })
}

describe('what is personal', () => {
  it('is said of every field of every entity of ours', () => {
    const entities = Object.values(chosenEntities({}))
    expect(entities.length).toBeGreaterThan(60)
    expect(entities.filter(({ personal }) => personal === undefined).map(({ name }) => name)).toEqual([])
    const undeclared = entities.flatMap((entity) => undeclaredFields(entity).map((field) => `${entity.name}.${field}`))
    expect(undeclared).toEqual([])
  })

  it('is missed of a new field, whatever was said of the others', () => {
    expect(
      undeclaredFields(invoiceWith({ notPersonal: ['issuedAt'], mentions: { in: ['note'], onErasure: 'replace' } })),
    ).toEqual(['customer', 'payers', 'signers', 'author'])
    expect(undeclaredFields(invoiceWith('none'))).toEqual([])
    expect(undeclaredFields(invoiceWith({ subjects: { customer: { onErasure: 'delete document' } } }))).toEqual([])
    const tenant = { tenant: objectId().optional(), colour: z.string().optional() }
    expect(undeclaredFields(classroomEntity.extend({ fields: tenant }))).toEqual(['tenant', 'colour'])
    const declared = { subjects: { tenant: { onErasure: 'delete' } }, notPersonal: ['colour'] } as const
    expect(undeclaredFields(classroomEntity.extend({ fields: tenant, personal: declared }))).toEqual([])
    expect(undeclaredFields(leaseEntity.extend({ fields: tenant }))).toEqual(['tenant', 'colour'])
    expect(undeclaredFields(leaseEntity.extend({ fields: tenant, personal: 'none' }))).toEqual([])
    expect(undeclaredFields(userEntity.extend({ fields: tenant }))).toEqual([])
  })

  it.each([
    ['all', 'invalid'],
    [{ subjects: { buyer: { onErasure: 'delete' } } }, 'no field buyer'],
    [{ subjects: { customer: { onErasure: 'delete' } } }, 'customer cannot be deleted'],
    [{ subjects: { customer: { onErasure: 'forget' } } }, 'at subjects.customer.onErasure'],
    [{ subjects: { customer: { onErasure: 'anonymise', fields: ['issuedAt'] } } }, 'issuedAt cannot be deleted'],
    [{ subjects: { customer: { onErasure: 'anonymise', fields: ['colour'] } } }, 'no field colour'],
    [{ mentions: { in: ['letter'], onErasure: 'replace' } }, 'no field letter'],
    [{ mentions: { in: ['signers.user'], onErasure: 'replace' } }, 'without dots'],
    [{ notPersonal: ['colour'] }, 'no field colour'],
    [{ colour: 1 }, ''],
  ])('cannot be %j', (personal, message) => {
    expect(() => invoiceWith(personal)).toThrow(
      expect.objectContaining({ code: 'CONFIGURATION', message: expect.stringMatching(new RegExp(message, 'i')) }),
    )
  })
})

describe('a plan', () => {
  const user = new ObjectId()
  const pseudonym = new ObjectId()
  const plansOf = (subjects: object) => subjectPlans(invoiceWith({ subjects }), { user, pseudonym }, new Date(1e12))

  it('changes ids where they are: in fields, in lists, in the items of lists, and as texts', () => {
    const anonymise = { onErasure: 'anonymise' }
    const plans = plansOf({ customer: anonymise, payers: anonymise, 'signers.user': anonymise, author: anonymise })
    expect(plans.map(({ naming, change }) => [naming, change])).toEqual([
      [{ customer: user }, { by: { $set: { customer: pseudonym } }, arrayFilters: [] }],
      [{ payers: user }, { by: { $set: { 'payers.$[value]': pseudonym } }, arrayFilters: [{ value: user }] }],
      [
        { 'signers.user': user },
        { by: { $set: { 'signers.$[item0].user': pseudonym } }, arrayFilters: [{ 'item0.user': user }] },
      ],
      [{ author: user.toHexString() }, { by: { $set: { author: pseudonym.toHexString() } }, arrayFilters: [] }],
    ])
  })

  it('deletes an item of a list, a field with others, and a document', () => {
    const plans = plansOf({
      payers: { onErasure: 'delete' },
      author: { onErasure: 'delete', fields: ['note'] },
      customer: { onErasure: 'delete document' },
    })
    expect(plans.map(({ change }) => change)).toEqual([
      { by: { $pull: { payers: user } }, arrayFilters: [] },
      { by: { $unset: { author: '', note: '' } }, arrayFilters: [] },
      undefined,
    ])
  })

  it('leaves what is kept', () => {
    const keep = { reason: 'tax law', since: 'issuedAt', days: 1 }
    const [plan] = plansOf({ customer: { onErasure: 'delete document', keep } })
    const limit = new Date(1e12 - 86_400_000)
    expect(plan).toMatchObject({
      due: { customer: user, issuedAt: { $not: { $gt: limit } } },
      kept: { customer: user, issuedAt: { $gt: limit } },
    })
  })
})
