// Compiled, never run: what the types let through and what they refuse.
import { findMongod, type ReplicaSet, startReplicaSet } from '@autovolt/data/testing'

export async function accepts(): Promise<string> {
  await using replicaSet: ReplicaSet = await startReplicaSet({ members: 3, args: ['--quiet'] })
  await startReplicaSet({ port: 27_017, dbPath: 'data' })
  const path: string = await findMongod()
  return `${replicaSet.uri} ${path}`
}

export async function refuses(): Promise<void> {
  // @ts-expect-error A number of members, not their names.
  await startReplicaSet({ members: ['a', 'b'] })
  // @ts-expect-error Arguments come one by one, not as a line.
  await startReplicaSet({ args: '--quiet --auth' })
  // @ts-expect-error No such option.
  await startReplicaSet({ name: 'rs0' })
  const replicaSet = await startReplicaSet()
  // @ts-expect-error The address is given, not set.
  replicaSet.uri = 'mongodb://localhost'
}
