import { createHmac } from 'node:crypto'
import { connectAsync, type MqttClient } from 'mqtt'
import { cleanUpLater } from '../../support/clean-up.js'

/** What a device does with the next command: nothing of it is what it should. */
export type Mishap =
  /** It does not receive it. */
  | 'ignores'
  /** It moves the relay, and its event is lost. */
  | 'loses its answer'
  /** It says everything twice. */
  | 'doubles'
  /** It says first that the relay is where it was. */
  | 'contradicts'

interface Received {
  readonly topic: string
  readonly payload: string
  readonly qos: number
  readonly retain: boolean
}

abstract class SimulatedDevice {
  readonly macAddress: string
  secret: string
  readonly received: Received[] = []
  readonly mishaps: Mishap[] = []
  /** ms; how long after the command its answer goes out. */
  delayMs = 10
  readonly relays = new Map<number, boolean>([
    [16, false],
    [17, false],
  ])
  protected readonly startedMs = performance.now()
  #client: MqttClient | undefined

  constructor(macAddress: string, secret: string) {
    this.macAddress = macAddress
    this.secret = secret
  }

  abstract readonly topics: readonly string[]
  protected abstract obey(topic: string, payload: string): void

  async connect(url: string): Promise<this> {
    const client = await connectAsync(url, {
      protocolVersion: 4,
      clientId: `sim-${this.macAddress.replaceAll(':', '')}`,
    })
    this.#client = client
    cleanUpLater(() => this.leave())
    client.on('message', (topic, bytes, packet) => {
      const payload = bytes.toString()
      this.received.push({ topic, payload, qos: packet.qos, retain: packet.retain })
      this.obey(topic, payload)
    })
    await client.subscribeAsync([...this.topics], { qos: 1 })
    return this
  }

  async leave(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    await client?.endAsync(true)
  }

  protected say(topic: string, payload: string): void {
    this.#client?.publish(topic, payload, { qos: 1 }, () => undefined)
  }

  protected later(work: () => void, delayMs = this.delayMs): void {
    setTimeout(work, delayMs)
  }
}

/** The deployed firmware, byte by byte: its members in their order, nothing but what it says. */
export class DeployedSimulation extends SimulatedDevice {
  readonly topics = ['esp32/switches', 'esp32/config']

  /** All relays, as every 30 seconds. */
  snapshot(): void {
    const switches = [...this.relays].map(([gpio, on]) => `{"gpio":${gpio},"state":${on},"manual_override":false}`)
    this.say('esp32/state', `{"mac":"${this.macAddress}","secret":"${this.secret}","switches":[${switches.join(',')}]}`)
  }

  /** Somebody presses the wall switch. */
  press(gpio: number, on: boolean): void {
    this.relays.set(gpio, on)
    const press = `"type":"manual_switch","gpio":${gpio},"state":${on},"physicalPin":25,"timestamp":${this.#millis}`
    this.say('esp32/telemetry', `{"mac":"${this.macAddress}","secret":"${this.secret}",${press}}`)
  }

  protected override obey(topic: string, payload: string): void {
    const { mac, secret, gpio, state, userId, userName } = JSON.parse(payload)
    if (topic !== 'esp32/switches' || mac !== this.macAddress || secret !== this.secret) return
    const mishap = this.mishaps.shift()
    if (mishap === 'ignores') return
    if (mishap === 'contradicts') this.snapshot()
    const isThere = this.relays.get(gpio) === state
    this.relays.set(gpio, state)
    // A relay that is there already makes no event: the next snapshot shows it.
    if (isThere || mishap === 'loses its answer') return
    const user = `${userId === undefined ? '' : `,"userId":"${userId}"`}${userName === undefined ? '' : `,"userName":"${userName}"`}`
    const event = () =>
      this.say(
        'esp32/telemetry',
        `{"mac":"${this.macAddress}","secret":"${this.secret}","type":"switch_event","gpio":${gpio},"state":${state},"source":"backend","timestamp":${this.#millis}${user}}`,
      )
    this.later(event)
    if (mishap === 'doubles') this.later(event, this.delayMs + 20)
  }

  get #millis(): number {
    return Math.floor(performance.now() - this.startedMs) + 60_000
  }
}

/** Version 2 of the protocol. */
export class V2Simulation extends SimulatedDevice {
  /** Why it refuses commands, if it does. */
  refuses: string | undefined
  readonly #obeyed = new Set<string>()
  readonly #run = Math.floor(Date.now() / 1000)
  #sequence = 0

  get topics(): string[] {
    return [this.#topic('command'), this.#topic('config')]
  }

  heartbeat(): void {
    this.#send('heartbeat', { uptimeMs: 1000, freeHeapBytes: 181_234, rssiDbm: -61, temperatureC: 41.5 })
  }

  press(gpio: number, state: boolean): void {
    this.relays.set(gpio, state)
    this.#send('switch', { gpio, state, cause: 'manual' })
  }

  protected override obey(topic: string, payload: string): void {
    const [, unsigned = '', given = ''] = /^(\{.*),"hmac":"([0-9a-f]{64})"\}$/s.exec(payload) ?? []
    if (topic !== this.#topic('command') || given !== this.#signature(topic, unsigned)) return
    const { id, time, gpio, state, userId, userName } = JSON.parse(`${unsigned}}`)
    if (Math.abs(Date.now() - time) > 30_000 || this.#obeyed.has(id)) return
    const mishap = this.mishaps.shift()
    if (mishap === 'ignores') return
    this.#obeyed.add(id)
    if (this.refuses !== undefined) {
      this.later(() => this.#send('refused', { command: id, reason: this.refuses }))
      return
    }
    const answered = mishap === 'contradicts' ? !state : state
    this.relays.set(gpio, answered)
    if (mishap === 'loses its answer') return
    // It answers also where nothing had to move.
    const answer = () =>
      this.#send('switch', { gpio, state: answered, cause: 'backend', userId, userName, command: id })
    this.later(answer)
    if (mishap === 'doubles') this.later(answer, this.delayMs + 20)
  }

  #send(kind: string, content: object): void {
    this.#sequence += 1
    const name = { id: `${this.#run}-${this.#sequence}`, boot: String(this.#run), seq: this.#sequence, run: this.#run }
    const topic = this.#topic(kind)
    const unsigned = JSON.stringify({ ...name, time: Date.now(), ...content }).slice(0, -1)
    this.say(topic, `${unsigned},"hmac":"${this.#signature(topic, unsigned)}"}`)
  }

  #topic(kind: string): string {
    return `autovolt/v2/${this.macAddress.replaceAll(':', '').toLowerCase()}/${kind}`
  }

  #signature(topic: string, unsigned: string): string {
    return createHmac('sha256', this.secret).update(`${topic}\n${unsigned}`).digest('hex')
  }
}
