import { MongoClient, type MongoClientOptions } from 'mongodb'
import type { Admin } from '../admin.js'

/** The result of a look at one member. */
export interface MemberLook<Result> {
  readonly host: string
  /** Null for one that could not be reached, or may not be asked. */
  readonly result: Result | null
}

const patienceMs = 3_000

/**
 * Looks at each member of the replica set that holds data: figures such as the use of indexes are each member's own. Other
 * members than the primary are asked over a connection of its own, with the login of the handle. Where the handle is
 * connected through a router, the router is asked.
 */
export async function onEachMember<Result>(
  { database }: Admin,
  look: (client: MongoClient) => Promise<Result>,
): Promise<MemberLook<Result>[]> {
  const { client } = database
  const hello = await client.db('admin').command({ hello: 1 })
  const hosts: readonly string[] = [...(hello.hosts ?? []), ...(hello.passives ?? [])]
  const self = String(hello.me ?? 'this server')
  const looks: MemberLook<Result>[] = [{ host: self, result: await look(client) }]
  for (const host of hosts.filter((one) => one !== self))
    looks.push({ host, result: await lookAlone(client, host, look) })
  return looks
}

async function lookAlone<Result>(
  client: MongoClient,
  host: string,
  look: (client: MongoClient) => Promise<Result>,
): Promise<Result | null> {
  const alone = new MongoClient(`mongodb://${host}/?directConnection=true`, {
    ...loginOf(client),
    serverSelectionTimeoutMS: patienceMs,
    readPreference: 'secondaryPreferred',
    maxPoolSize: 1,
  })
  try {
    return await look(alone)
  } catch {
    // Not every member can be reached from everywhere; the answer names those that were not.
    return null
  } finally {
    await alone.close()
  }
}

function loginOf({ options }: MongoClient): MongoClientOptions {
  const { credentials, tls, tlsCAFile, tlsCertificateKeyFile, tlsAllowInvalidHostnames } = options
  return {
    ...(credentials?.username
      ? {
          auth: { username: credentials.username, password: credentials.password },
          authSource: credentials.source,
          authMechanism: credentials.mechanism,
        }
      : {}),
    ...(tls ? { tls } : {}),
    ...(tlsCAFile === undefined ? {} : { tlsCAFile }),
    ...(tlsCertificateKeyFile === undefined ? {} : { tlsCertificateKeyFile }),
    ...(tlsAllowInvalidHostnames ? { tlsAllowInvalidHostnames } : {}),
  }
}
