import type { ObjectId } from 'mongodb'
import { toObjectId } from '../../core/fields.js'
import type { Sessions } from '../sessions/sessions.js'
import type { AnyUser } from '../user.js'
import { AccessDeniedError } from './access-denied-error.js'
import type { Binding } from './binding.js'

/** What a user may call about sessions of one user. The rest takes tokens, which is the host's part. */
const ofOneUser = ['list', 'revoke', 'revokeAll', 'revokeOthers'] as const

/** The sessions that a user may see and end: the user's own where a rule has the scope `own`, everybody's where one has `all`. */
export type BoundSessions = Pick<Sessions, (typeof ofOneUser)[number]>

export function boundSessions(binding: Binding, name: string, sessions: Sessions<AnyUser>): BoundSessions {
  const acting = async <Result>(user: ObjectId | string, work: () => Promise<Result>): Promise<Result> => {
    const scope = await binding.scope(name, 'use')
    const id = toObjectId(user, 'user')
    if (scope.length === 0) throw await binding.denied(new AccessDeniedError('use', name))
    if (scope !== 'all' && !id.equals(binding.userId))
      throw await binding.denied(new AccessDeniedError('use', name, { id: id.toHexString() }))
    return binding.acting(work)
  }
  return {
    list: (user) => acting(user, () => sessions.list(user)),
    revoke: (user, session) => acting(user, () => sessions.revoke(user, session)),
    revokeAll: (user) => acting(user, () => sessions.revokeAll(user)),
    revokeOthers: (user, session) => acting(user, () => sessions.revokeOthers(user, session)),
  }
}
