// A service in CommonJS: `import x = require()` becomes a plain `require`, which serves ES modules from Node 20.19 on.
import { strict as assert } from 'node:assert'

import data = require('@autovolt/data')
import testing = require('@autovolt/data/testing')

async function main(): Promise<void> {
  const replicaSet = await testing.startReplicaSet()
  const volt = await data.AutoVolt.open({ uri: replicaSet.uri, dbName: 'consumer' })
  try {
    await volt.setup()
    const room = await volt.classrooms.create({ name: 'Room 101', timeZone: 'Asia/Kolkata' })
    assert.equal((await volt.classrooms.get(room._id)).name, 'Room 101')
    assert.ok(volt instanceof data.AutoVolt)
  } finally {
    await volt.close()
    await replicaSet.stop()
  }
}

void main()
