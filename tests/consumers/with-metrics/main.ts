// A service that shows metrics and traces.
import { strict as assert } from 'node:assert'
import { AutoVolt } from '@autovolt/data'
import { reportMetrics, traceCalls } from '@autovolt/data/opentelemetry'
import { registerMetrics } from '@autovolt/data/prometheus'
import { startReplicaSet } from '@autovolt/data/testing'
import { metrics, trace } from '@opentelemetry/api'
import * as client from 'prom-client'

const replicaSet = await startReplicaSet()
const volt = await AutoVolt.open({ uri: replicaSet.uri, dbName: 'consumer', monitorCommands: true })
try {
  await volt.setup()
  const registry = new client.Registry()
  registerMetrics(volt, { client, registry })
  traceCalls(volt, trace.getTracer('consumer'))
  reportMetrics(volt, metrics.getMeter('consumer'))
  await volt.classrooms.create({ name: 'Room 101', timeZone: 'Asia/Kolkata' })
  assert.match(
    await registry.metrics(),
    /autovolt_call_duration_seconds_count\{collection="classrooms",command="insert",outcome="ok"\} 1/,
  )
  // @ts-expect-error A registry is needed.
  assert.throws(() => registerMetrics(volt, { client }), { code: 'VALIDATION' })
} finally {
  await volt.close()
  await replicaSet.stop()
}
