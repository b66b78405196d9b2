// A service in CommonJS that imports where it needs it: so it compiles with `node16`, too.
import { strict as assert } from 'node:assert'

async function main(): Promise<void> {
  const { AutoVolt } = await import('@autovolt/data')
  const { startReplicaSet } = await import('@autovolt/data/testing')
  const replicaSet = await startReplicaSet()
  const volt = await AutoVolt.open({ uri: replicaSet.uri, dbName: 'consumer' })
  try {
    await volt.setup()
    const room = await volt.classrooms.create({ name: 'Room 101', timeZone: 'Asia/Kolkata' })
    assert.equal((await volt.classrooms.get(room._id)).name, 'Room 101')
    assert.ok(volt instanceof AutoVolt)
  } finally {
    await volt.close()
    await replicaSet.stop()
  }
}

void main()
