import { expect, it } from 'vitest'
import { type Child, startChild } from '../support/child.js'
import { eventually } from '../support/eventually.js'
import { full } from '../support/extent.js'
import { startMongodProcess } from '../support/mongod-process.js'
import { startMosquitto } from '../support/mosquitto.js'
import { startLoad } from './support/load.js'
import { seededRandom } from './support/random.js'
import { openSchool } from './support/school.js'

const kills = full ? 20 : 2
const names = ['a', 'b', 'c']
/**
 * A fleet as fleets are: each meter reports every four seconds or so. Every ingester appends to every meter's chain, so
 * meters that report many times a second would keep the ingesters in each other's way.
 */
const meters = 200

interface Status {
  readonly type: 'status'
  readonly status: { readonly processed: number }
}

it(`share the topics of version 2: nothing is lost or doubled when ${kills} of them are killed`, async () => {
  const mongod = await startMongodProcess()
  const mosquitto = await startMosquitto({ maxInflightMessages: 500, maxQueuedMessages: 0 })
  const school = await openSchool({ uri: mongod.uri })
  const startIngester = async (instance: string) => {
    const env = { MONGODB_URI: mongod.uri, DB_NAME: school.dbName, MQTT_URL: mosquitto.url }
    const child = startChild(new URL('./support/ingester.ts', import.meta.url), {
      env: { ...env, INSTANCE: instance, SHARE: 'ingesters' },
    })
    await child.next('started', 60_000)
    return child
  }
  const processedBy = (child: Child) =>
    (child.messages.findLast(({ type }) => type === 'status') as Status | undefined)?.status.processed ?? 0
  const ingesters = new Map<string, Child>()
  await Promise.all(names.map(async (name) => ingesters.set(name, await startIngester(name))))
  const load = await startLoad(mosquitto.url, school, { isDeployedToo: false, meters, readingsEveryMs: 20 })
  const random = seededRandom(Date.now())
  for (let kill = 0; kill < kills; kill += 1) {
    const name = names[Math.floor(random() * names.length)] ?? 'a'
    const child = ingesters.get(name)
    const enough = 5 + random() * 40
    await eventually(`${name} takes messages`, () => child !== undefined && processedBy(child) >= enough, {
      timeoutMs: 30_000,
    })
    await child?.kill('SIGKILL')
    // What was in flight to it, and what the broker still deals out to it, waits in its session.
    ingesters.set(name, await startIngester(name))
  }
  await eventually('all take their share', () => [...ingesters.values()].every((child) => processedBy(child) > 0))
  await load.endsWithEachOnce([...ingesters.values()])
  expect([...ingesters.values()].map(({ output }) => output).join()).not.toContain('could not be stored')
}, 900_000)
