import { z } from 'zod'
import { defineEntity, type Stored } from '../../core/entity.js'
import { objectId } from '../../core/fields.js'
import { decimalRule, exactDecimal, moneyPlaces, onceSound, unitsIn } from '../decimal.js'

/** The four counters of an account, which only journals move. */
export const counters = ['debitsPending', 'debitsPosted', 'creditsPending', 'creditsPosted'] as const
export type Counter = (typeof counters)[number]

/**
 * A user’s account, or one of an area: `clearing` is the other side of what is reserved, `fees` is what the area earns, `outside` is the other
 * side of what comes in and goes out.
 */
export const accountKinds = ['user', 'clearing', 'fees', 'outside'] as const
export type AccountKind = (typeof accountKinds)[number]

const counterRange = { atLeast: 0n, below: 1e20 }
const sound = [...counters, 'creditLimit'].map((path) => decimalRule(path, moneyPlaces, counterRange))

/** An account of a market area, in double entry. Its balance is `creditsPosted` less `debitsPosted`. */
export const accountEntity = defineEntity({
  name: 'market account',
  collection: 'market_accounts',
  personal: {
    subjects: { user: { onErasure: 'anonymise' } },
    notPersonal: 'area kind debitsPending debitsPosted creditsPending creditsPosted creditLimit'.split(' '),
  },
  fields: {
    /** The area that it belongs to: what a user has in one area is of no use in another. */
    area: objectId(),
    /** Whose it is. */
    kind: z.enum(accountKinds),
    /** Of a user's account: the user. */
    user: objectId().optional(),
    /** What is reserved to be paid. */
    debitsPending: exactDecimal(moneyPlaces),
    /** All that was ever paid. */
    debitsPosted: exactDecimal(moneyPlaces),
    /** What is reserved to be received. */
    creditsPending: exactDecimal(moneyPlaces),
    /** All that was ever received. */
    creditsPosted: exactDecimal(moneyPlaces),
    /** How far below zero the balance of a user may go, what is reserved included. */
    creditLimit: exactDecimal(moneyPlaces),
  },
  shardKey: { area: 1 },
  rules: [
    ...sound,
    onceSound(sound, {
      path: 'debitsPosted',
      message: 'expected no more than was received and may be owed',
      check: (account) => account.kind !== 'user' || isCovered(account),
      expression: {
        $or: [
          { $ne: ['$kind', 'user'] },
          {
            $lte: [{ $add: ['$debitsPosted', '$debitsPending'] }, { $add: ['$creditsPosted', '$creditLimit'] }],
          },
        ],
      },
    }),
  ],
  indexes: [
    {
      key: { area: 1, kind: 1, user: 1 },
      unique: true,
      serves: 'the account of a user in an area, and those of the area',
    },
    { key: { user: 1, area: 1 }, serves: 'the accounts of a user' },
  ],
})

export type MarketAccount = Stored<typeof accountEntity>

function isCovered(account: Readonly<Record<string, unknown>>): boolean {
  const units = (path: string) => unitsIn(account, path, moneyPlaces) ?? 0n
  return units('debitsPosted') + units('debitsPending') <= units('creditsPosted') + units('creditLimit')
}
