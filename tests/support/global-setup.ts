import { rm } from 'node:fs/promises'
import type { TestProject } from 'vitest/node'
import { type ReplicaSet, startReplicaSet } from '../../src/testing/index.js'
import { bundlePrograms } from './bundle.js'
import { readSetUpState, type SetUpState } from './set-up-state.js'

declare module 'vitest' {
  interface ProvidedContext {
    /** The connection string of the run's replica set, without a database name. */
    readonly mongodbUri: string
    readonly setUpState: SetUpState
    /** The folder of the programs that tests start as processes. */
    readonly programs: string
  }
}

let replicaSet: ReplicaSet
let programs: string

/**
 * Starts the one replica set of the whole run. `NOTABLESCAN=1` makes every query fail that no index serves. What the
 * transaction of a killed process holds is free after a quarter of a minute, not after a whole one. The files of dropped
 * databases go with the next checkpoint, which comes every ten seconds, and what the storage engine keeps open of them soon
 * after: kept for the usual ten minutes, they make each new collection slower, and become more than a process may have open,
 * so that `mongod` ends. Its cache stays out of the way of what the tests need, and it records nothing about itself.
 */
export async function setup(project: TestProject): Promise<void> {
  const notablescan = process.env.NOTABLESCAN === '1'
  const parameters = [
    `notablescan=${notablescan}`,
    'transactionLifetimeLimitSeconds=15',
    'minSnapshotHistoryWindowInSeconds=0',
    'diagnosticDataCollectionEnabled=false',
  ]
  const files = 'file_manager=(close_idle_time=20,close_scan_interval=5,close_handle_minimum=500)'
  const limits = ['--syncdelay', '10', '--wiredTigerCacheSizeGB', '1', '--wiredTigerEngineConfigString', files]
  const args = [...limits, ...parameters.flatMap((parameter) => ['--setParameter', parameter])]
  ;[replicaSet, programs] = await Promise.all([startReplicaSet({ args }), bundlePrograms()])
  // Hundreds of tests fail when it ends; why it did has to be read above their summary.
  void replicaSet.failure.then(({ message }) => process.prependOnceListener('exit', () => console.error(message)))
  project.provide('mongodbUri', replicaSet.uri)
  project.provide('programs', programs)
  project.provide('setUpState', await readSetUpState(replicaSet.uri))
}

export async function teardown(): Promise<void> {
  await replicaSet.stop()
  await rm(programs, { recursive: true })
}
