import type { Document } from 'mongodb'
import type { Database } from './database.js'
import { isRecord } from './is-record.js'
import { serverErrorCode } from './translate-error.js'

/** Privilege: which actions somebody may do on what, as MongoDB's roles say it. */
export interface Privilege {
  /** Such as `{ db: 'school', collection: 'devices' }`, or `{ cluster: true }`; an empty name stands for all. */
  readonly resource: Document
  readonly actions: readonly string[]
}

/** With the server's API pinned to a version the command may be refused. */
const notInApi = 323

/** What the user of this connection may do. Undefined where the server asks nobody who they are, or does not say. */
export async function heldPrivileges({ native }: Database): Promise<Privilege[] | undefined> {
  try {
    const { authInfo } = await native.command({ connectionStatus: 1, showPrivileges: true })
    const isAnonymous = authInfo.authenticatedUsers.length === 0
    return isAnonymous ? undefined : authInfo.authenticatedUserPrivileges
  } catch (error) {
    if (serverErrorCode(error) === notInApi) return undefined
    throw error
  }
}

/** The actions that privileges allow on a collection that is none of the server's own. */
export function actionsOn(privileges: readonly Privilege[], dbName: string, collection: string): ReadonlySet<string> {
  return new Set(
    privileges
      .filter(({ resource }) => isOn(resource, dbName, collection))
      .flatMap(({ actions }) => actions.map(String)),
  )
}

function isOn(resource: unknown, dbName: string, collection: string): boolean {
  if (!isRecord(resource)) return false
  if (resource.anyResource === true) return true
  const isNamed = (name: unknown, wanted: string) => name === '' || name === wanted
  return isNamed(resource.db, dbName) && isNamed(resource.collection, collection)
}
