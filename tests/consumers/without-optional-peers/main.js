// Every entry point loads where no optional peer is installed, and loading does nothing else.
import { strict as assert } from 'node:assert'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
for (const peer of ['mqtt', 'mongodb-memory-server-core', 'prom-client', '@opentelemetry/api']) {
  assert.throws(() => require.resolve(peer), { code: 'MODULE_NOT_FOUND' })
}

const listeners = () => process.eventNames().map((name) => [name, process.listenerCount(name)])
const resources = () => process.getActiveResourcesInfo().sort()
const before = [listeners(), resources()]
const entryPoints = Object.keys(require('@autovolt/data/package.json').exports).filter(
  (path) => !path.endsWith('.json'),
)
for (const path of entryPoints) await import(`@autovolt/data${path.slice(1)}`)
assert.deepEqual([listeners(), resources()], before)

const { startReplicaSet } = await import('@autovolt/data/testing')
await assert.rejects(startReplicaSet(), {
  code: 'CONFIGURATION',
  message: /npm install --save-dev mongodb-memory-server-core/,
})
