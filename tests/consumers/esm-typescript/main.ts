// A service in TypeScript and ES modules, with an older `lib` than the package itself is built with.
import { strict as assert } from 'node:assert'
import { AutoVolt } from '@autovolt/data'
import { startReplicaSet } from '@autovolt/data/testing'

const replicaSet = await startReplicaSet()
const volt = await AutoVolt.open({ uri: replicaSet.uri, dbName: 'consumer' })
try {
  await volt.setup()
  const room = await volt.classrooms.create({ name: 'Room 101', timeZone: 'Asia/Kolkata' })
  const name: string = room.name
  assert.equal(name, 'Room 101')
  const { total, items } = await volt.classrooms.page({ name: 'Room 101' })
  assert.deepEqual([total, items[0]?.name], [1, 'Room 101'])
  // @ts-expect-error A classroom has no such field.
  await assert.rejects(volt.classrooms.create({ nickname: 'Room 101' }), { code: 'VALIDATION' })
} finally {
  await volt.close()
  await replicaSet.stop()
}
