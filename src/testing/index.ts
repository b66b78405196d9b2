/**
 * A real MongoDB for your own tests. Needs the package mongodb-memory-server-core, or a mongod on the machine.
 *
 * @module @autovolt/data/testing
 */
export { findMongod } from './find-mongod.js'
export { type ReplicaSet, type ReplicaSetOptions, startReplicaSet } from './replica-set.js'
export { startTestDatabase, type TestDatabase } from './test-database.js'
