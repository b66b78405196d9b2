import type { ObjectId } from 'mongodb'

/** What of a user somebody is known by. */
export interface KnownUser {
  readonly _id: ObjectId
  readonly status?: string | undefined
  readonly email?: string | undefined
  readonly name?: string | undefined
  readonly firstName?: string | undefined
  readonly lastName?: string | undefined
  readonly walletAddress?: string | undefined
  readonly authKeys?: readonly string[] | undefined
  readonly profile?: Readonly<Record<string, unknown>> | undefined
  readonly address?: Readonly<Record<string, unknown>> | undefined
}

/** A person by what texts of others may name it by. */
export interface Person {
  readonly id: ObjectId
  /** The longest first: a name that is part of another is not replaced alone. */
  readonly texts: readonly string[]
  /** What would be found in texts that are about something else. */
  readonly notSearched: readonly string[]
}

/** Shorter texts, and names of a single word, are words of others, too: who is called Room must not change every room. */
const shortestText = 7

/** @param user Undefined once the user is erased: then the id is all that is known. */
export function personOf(id: ObjectId, user: KnownUser | undefined): Person {
  const { firstName = '', lastName = '', profile = {}, address = {} } = user ?? {}
  const names = firstName === '' || lastName === '' ? [] : [`${firstName} ${lastName}`, `${lastName}, ${firstName}`]
  const fullName = isFullName(user?.name) ? [user.name] : []
  const others: Readonly<Record<string, unknown>> = {
    email: user?.email,
    walletAddress: user?.walletAddress,
    'address.street': address.street,
    ...Object.fromEntries((user?.authKeys ?? []).map((key, at) => [`authKeys.${at}`, key])),
    ...Object.fromEntries(['phone', 'studentId', 'avatar'].map((name) => [`profile.${name}`, profile[name]])),
  }
  const given = Object.entries(others).filter((entry): entry is [string, string] => typeof entry[1] === 'string')
  const isSearched = ([, text]: readonly [string, string]) => text.length >= shortestText
  const texts = new Set([...names, ...fullName, ...given.filter(isSearched).map(([, text]) => text)])
  const isNamed = names.length + fullName.length > 0 || user?.name === undefined
  return {
    id,
    texts: [...texts].toSorted((one, other) => other.length - one.length),
    notSearched: [...(isNamed ? [] : ['name']), ...given.filter((one) => !isSearched(one)).map(([path]) => path)],
  }
}

function isFullName(name: string | undefined): name is string {
  return name !== undefined && name.length >= shortestText && /\S\s+\S/.test(name)
}
