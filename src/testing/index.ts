export { findMongod } from './find-mongod.js'
export { type ReplicaSet, type ReplicaSetOptions, startReplicaSet } from './replica-set.js'
export { startTestDatabase, type TestDatabase } from './test-database.js'
