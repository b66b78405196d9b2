import { randomBytes } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { MongoClient } from 'mongodb'
import { cleanUpLater } from './clean-up.js'
import { startMongodProcess } from './mongod-process.js'

const password = 'a-password'

/** A role of the server's, in a database. */
interface GrantedRole {
  readonly role: string
  readonly db: string
}

export interface SecuredMongod {
  /** A client of a user who may do everything. */
  readonly owner: MongoClient
  /** The connection string of a user; of `owner`, or of one that was made. */
  readonly uriOf: (user: string) => string
  /** Makes a user. @returns its connection string. */
  readonly createUser: (name: string, roles: readonly GrantedRole[]) => Promise<string>
  /** The connection string of a user with another password. */
  readonly uriWith: (user: string, password: string) => string
}

/** A replica set of one `mongod` whose users have to log in. Killed, and its data removed, at the end of the test. */
export async function startSecuredMongod(): Promise<SecuredMongod> {
  const folder = await mkdtemp(join(tmpdir(), 'autovolt-key-'))
  cleanUpLater(() => rm(folder, { recursive: true }))
  const keyFile = join(folder, 'key')
  await writeFile(keyFile, randomBytes(96).toString('base64'), { mode: 0o600 })
  const { uri, port } = await startMongodProcess({ args: ['--auth', '--keyFile', keyFile] })
  const first = new MongoClient(uri)
  await first.db('admin').command({ createUser: 'owner', pwd: password, roles: ['root'] })
  await first.close()
  const uriWith = (user: string, secret: string) =>
    `mongodb://${user}:${secret}@127.0.0.1:${port}/?replicaSet=autovolt&authSource=admin`
  const uriOf = (user: string) => uriWith(user, password)
  const owner = new MongoClient(uriOf('owner'))
  cleanUpLater(() => owner.close())
  const createUser = async (name: string, roles: readonly GrantedRole[]) => {
    await owner.db('admin').command({ createUser: name, pwd: password, roles: [...roles] })
    return uriOf(name)
  }
  return { owner, uriOf, createUser, uriWith }
}
