import type { TestProject } from 'vitest/node'
import { type ReplicaSet, startReplicaSet } from '../../src/testing/index.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** The connection string of the run's replica set, without a database name. */
    readonly mongodbUri: string
  }
}

let replicaSet: ReplicaSet

/**
 * Starts the one replica set of the whole run. `NOTABLESCAN=1` makes every query fail that no index serves. What the
 * transaction of a killed process holds is free after a quarter of a minute, not after a whole one. The files of dropped databases go
 * at once: kept for the usual five minutes, they become more than a process may have open.
 */
export async function setup(project: TestProject): Promise<void> {
  const notablescan = process.env.NOTABLESCAN === '1'
  const parameters = [
    `notablescan=${notablescan}`,
    'transactionLifetimeLimitSeconds=15',
    'minSnapshotHistoryWindowInSeconds=0',
  ]
  replicaSet = await startReplicaSet({ args: parameters.flatMap((parameter) => ['--setParameter', parameter]) })
  project.provide('mongodbUri', replicaSet.uri)
}

export async function teardown(): Promise<void> {
  await replicaSet.stop()
}
