import { beforeEach, describe, it } from 'vitest'
import { type Child, startChild } from '../support/child.js'
import { full } from '../support/extent.js'
import { type MongodProcess, startMongodProcess } from '../support/mongod-process.js'
import { type Mosquitto, startMosquitto } from '../support/mosquitto.js'
import { type Load, startLoad } from './support/load.js'
import { seededRandom } from './support/random.js'
import { openSchool, type School } from './support/school.js'

const kills = full ? 20 : 4
const databaseKills = full ? 5 : 1

describe('an ingester, or its database, killed under load', () => {
  let mongod: MongodProcess
  let mosquitto: Mosquitto
  let school: School
  let load: Load

  beforeEach(async () => {
    mongod = await startMongodProcess()
    mosquitto = await startMosquitto({ maxInflightMessages: 500, maxQueuedMessages: 0 })
    school = await openSchool({ uri: mongod.uri })
    // The broker keeps messages only for sessions that it knows.
    const first = startIngester()
    await first.next('started')
    await first.kill('SIGTERM')
    load = await startLoad(mosquitto.url, school)
  })

  const startIngester = () =>
    startChild(new URL('./support/ingester.ts', import.meta.url), {
      env: { MONGODB_URI: mongod.uri, DB_NAME: school.dbName, MQTT_URL: mosquitto.url },
    })

  it(`loses no acknowledged message and doubles none when the ingester is killed ${kills} times`, async () => {
    const random = seededRandom(Date.now())
    let ingester: Child | undefined
    for (let kill = 0; kill < kills; kill += 1) {
      ingester = startIngester()
      await ingester.next('started', 60_000)
      await new Promise((resolve) => setTimeout(resolve, 100 + random() * 1500))
      await ingester.kill('SIGKILL')
    }
    await load.endsWithEachOnce([startIngester()])
  }, 900_000)

  it('loses no acknowledged message and doubles none when the database is killed and comes back', async () => {
    const random = seededRandom(Date.now())
    const ingester = startIngester()
    await ingester.next('started', 60_000)
    for (let kill = 0; kill < databaseKills; kill += 1) {
      await new Promise((resolve) => setTimeout(resolve, 500 + random() * 1000))
      await mongod.kill()
      await new Promise((resolve) => setTimeout(resolve, 500 + random() * 2000))
      await mongod.start()
    }
    await load.endsWithEachOnce([ingester])
  }, 900_000)
})
