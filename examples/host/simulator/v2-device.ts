import { DeviceLink } from './device-link.js'
import { MeterChannel } from './meter-channel.js'
import { Outbox } from './outbox.js'
import type { SimulatedDevice, V2Plan } from './plan.js'
import type { Random } from './random.js'
import { type Relay, RelayBoard } from './relay-board.js'
import { Timers } from './timers.js'
import { readV2Command, signed, v2Topic } from './v2-message.js'

const outboxRoom = 200
const heartbeatMs = 30_000

/** A device with version 2 of the protocol: it numbers, times and signs its messages, and keeps them until they are through. */
export class V2Device implements SimulatedDevice {
  readonly plan: V2Plan
  readonly #random: Random
  readonly #timers = new Timers()
  readonly #board: RelayBoard
  readonly #meters: readonly MeterChannel[]
  readonly #link: DeviceLink
  readonly #outbox: Outbox
  /** Counts the starts. It begins with the time, so that a database that is kept has not seen it. */
  #boot = Math.floor(Date.now() / 1000)
  #sequence = 0
  #startedMs = 0
  /** Whether a time server has answered since the start. */
  #isClockSet = true

  constructor(plan: V2Plan, url: string, random: Random) {
    this.plan = plan
    this.#random = random
    const relays = plan.switches.map(({ gpio, type }) => ({ gpio, on: type === 'meter' || random.chance(0.7) }))
    this.#board = new RelayBoard(relays, this.#timers)
    this.#meters = plan.switches.flatMap((one) =>
      one.load === undefined ? [] : new MeterChannel(one, one.load, random),
    )
    this.#outbox = new Outbox(outboxRoom, ({ topic, payload }, onAcknowledged) =>
      this.#link.publish(topic, payload, onAcknowledged),
    )
    this.#link = new DeviceLink({
      url,
      clientId: `av2-${plan.macAddress.replaceAll(':', '').toLowerCase()}`,
      subscription: v2Topic(plan.macAddress, 'command'),
      status: () => this.#status(),
      onConnected: () => this.#outbox.resend(),
      onCommand: (payload) => this.#obey(payload),
    })
  }

  start(): void {
    this.#sequence = 0
    this.#startedMs = performance.now()
    this.#link.connect()
    for (const relay of this.#board.relays) if (!this.#isMeterOnly(relay.gpio)) this.#sendSwitch(relay, 'restore')
    this.#timers.after(this.#random.between(200, 900), () => this.#sendReadings())
    this.#timers.repeat(
      () => this.plan.reportingPeriodMs + this.#random.between(-250, 0),
      () => this.#sendReadings(),
    )
    this.#timers.repeat(
      () => heartbeatMs + this.#random.between(-2_000, 0),
      () => this.#sendHeartbeat(),
    )
  }

  async stop(): Promise<void> {
    this.#timers.clear()
    await this.#link.vanish()
  }

  press(gpio: number): void {
    const relay = this.#board.find(gpio)
    if (relay === undefined || this.#isMeterOnly(gpio)) return
    this.#board.move({ gpio, on: !relay.on, isManual: true, onMoved: (moved) => this.#moved(moved, 'manual') })
  }

  cutConnection(): void {
    this.#link.cut()
  }

  loseConnection(forMs: number): void {
    void this.#link.vanish()
    this.#timers.after(forMs, () => this.#link.connect())
  }

  reboot(): void {
    this.#timers.clear()
    void this.#link.vanish()
    this.#outbox.clear()
    this.#board.restore()
    this.#boot += 1
    this.#isClockSet = false
    this.#timers.after(this.#random.between(2_000, 4_000), () => {
      this.#timers.after(this.#random.between(1_000, 3_000), () => {
        this.#isClockSet = true
      })
      this.start()
    })
  }

  #status() {
    const topic = v2Topic(this.plan.macAddress, 'status')
    const say = (status: string) => signed(topic, this.plan.secret, { status, boot: String(this.#boot) })
    return { topic, online: say('online'), offline: say('offline') }
  }

  #obey(payload: Buffer): void {
    const command = readV2Command(payload, this.plan)
    if (command === undefined || this.#isMeterOnly(command.gpio)) return
    const { gpio, state, user } = command
    this.#board.move({ gpio, on: state, isManual: false, onMoved: (moved) => this.#moved(moved, 'backend', user) })
  }

  #moved(relay: Relay, cause: 'backend' | 'manual', user: object = {}): void {
    this.#sendSwitch(relay, cause, user)
    const meter = this.#meters.find(({ gpio }) => gpio === relay.gpio)
    if (meter !== undefined) this.#timers.after(this.#random.between(200, 600), () => this.#sendReading(meter))
  }

  #sendSwitch({ gpio, on }: Relay, cause: 'backend' | 'manual' | 'restore', user: object = {}): void {
    this.#send('switch', { gpio, state: on, cause, ...user })
  }

  #sendReadings(): void {
    for (const meter of this.#meters) this.#sendReading(meter)
  }

  #sendReading(meter: MeterChannel): void {
    this.#send('power', meter.read(this.#board.find(meter.gpio)?.on ?? true))
  }

  #sendHeartbeat(): void {
    const uptimeMs = Math.floor(performance.now() - this.#startedMs)
    this.#send('heartbeat', { uptimeMs, freeHeapBytes: 143_000 + this.#random.integer(-9_000, 9_000) })
  }

  #send(kind: 'switch' | 'power' | 'heartbeat', content: object): void {
    const { macAddress, secret, firmware } = this.plan
    this.#sequence += 1
    const boot = String(this.#boot)
    const envelope = { id: `${boot}-${this.#sequence}`, boot, seq: this.#sequence, ...this.#time(), firmware }
    const topic = v2Topic(macAddress, kind)
    const message = { topic, payload: signed(topic, secret, { ...envelope, ...content }) }
    this.#outbox.send(message)
    // An acknowledgement got lost, and the message goes out a second time.
    if (this.#random.chance(0.02))
      this.#timers.after(this.#random.between(300, 3_000), () => this.#outbox.send(message))
  }

  #time(): { time?: number | string } {
    if (!this.#isClockSet) return {}
    const now = new Date()
    return { time: this.plan.timeFormat === 'iso' ? now.toISOString() : now.getTime() }
  }

  #isMeterOnly(gpio: number): boolean {
    return this.plan.switches.some((one) => one.gpio === gpio && one.type === 'meter')
  }
}
