import { beforeEach, describe, expect, it } from 'vitest'
import { type Child, startChild } from '../support/child.js'
import { eventually } from '../support/eventually.js'
import { full } from '../support/extent.js'
import { type Mosquitto, startMosquitto } from '../support/mosquitto.js'
import { type Load, startLoad } from './support/load.js'
import { openSchool, type School } from './support/school.js'
import { startTcpProxy, type TcpProxy } from './support/tcp-proxy.js'

const rounds = full ? 10 : 2

interface Status {
  readonly type: 'status'
  readonly status: { readonly received: number; readonly processed: number; readonly lastError: object | null }
}

describe('a bad network and a broker that restarts, under load', () => {
  let mosquitto: Mosquitto
  let proxy: TcpProxy
  let school: School
  let ingester: Child
  let load: Load

  beforeEach(async () => {
    mosquitto = await startMosquitto({ maxInflightMessages: 500, maxQueuedMessages: 0 })
    proxy = await startTcpProxy(mosquitto.port)
    school = await openSchool()
    ingester = startChild(new URL('./support/ingester.ts', import.meta.url), {
      env: { MONGODB_URI: school.uri, DB_NAME: school.dbName, MQTT_URL: proxy.url, KEEPALIVE: '1' },
    })
    await ingester.next('started', 60_000)
    load = await startLoad(mosquitto.url, school)
  })

  const statusOf = () =>
    (ingester.messages.findLast(({ type }) => type === 'status') as Status | undefined)?.status ?? {
      received: 0,
      processed: 0,
      lastError: null,
    }

  /** Waits until the ingester has taken some more messages. */
  async function takesMore(): Promise<void> {
    const { processed } = statusOf()
    await eventually('more messages are processed', () => statusOf().processed >= processed + 50, { timeoutMs: 30_000 })
  }

  /** Does it, and waits until both sessions are connected anew. */
  async function connectsAgainAfter(harm: () => void): Promise<void> {
    const { connections } = proxy
    harm()
    await eventually('it connects again', () => proxy.connections >= connections + 2, { timeoutMs: 30_000 })
  }

  it('loses nothing and doubles nothing when the broker restarts', async () => {
    for (let round = 0; round < rounds; round += 1) {
      await takesMore()
      await mosquitto.stop()
      await eventually('the broker is missed', () => statusOf().lastError !== null)
      await mosquitto.start()
    }
    await takesMore()
    await eventually('nothing is wrong', () => statusOf().lastError === null)
    await load.endsWithEachOnce([ingester])
  }, 600_000)

  it('finds out that nobody hears it any more, and takes what was sent meanwhile', async () => {
    for (let round = 0; round < rounds; round += 1) {
      await takesMore()
      await connectsAgainAfter(() => proxy.freeze())
    }
    await takesMore()
    await load.endsWithEachOnce([ingester])
  }, 600_000)

  it('knows again what is sent a second time because its acknowledgements were lost', async () => {
    for (let round = 0; round < rounds; round += 1) {
      await takesMore()
      proxy.swallow()
      await takesMore()
      await connectsAgainAfter(() => proxy.cut())
    }
    await load.endsWithEachOnce([ingester])
    const { received, processed } = statusOf()
    expect(processed).toBeLessThanOrEqual(received)
    expect(received).toBeGreaterThan(await school.volt.ledger.count())
  }, 600_000)
})
