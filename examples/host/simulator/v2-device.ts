import { DeviceLink } from './device-link.js'
import { download, type FirmwareOffer } from './firmware-update.js'
import { MeterChannel } from './meter-channel.js'
import { Outbox } from './outbox.js'
import type { SimulatedDevice, V2Plan } from './plan.js'
import type { Random } from './random.js'
import { type Relay, RelayBoard } from './relay-board.js'
import { Timers } from './timers.js'
import type { MeterTrouble } from './troubles.js'
import { readFirmwareOffer, readV2Command, signed, v2Topic } from './v2-message.js'

const outboxRoom = 200
const heartbeatMs = 30_000
/** A projector that was switched off has to cool down before it may be switched on again. */
const coolingMs = 20_000

/** A device with version 2 of the protocol: it numbers, times and signs its messages, and keeps them until they are through. */
export class V2Device implements SimulatedDevice {
  readonly plan: V2Plan
  readonly #random: Random
  readonly #timers = new Timers()
  readonly #board: RelayBoard
  readonly #meters: readonly MeterChannel[]
  readonly #link: DeviceLink
  readonly #outbox: Outbox
  /** Counts the starts, in flash. It begins with the time, so that a database that is kept has not seen it. */
  #run = Math.floor(Date.now() / 1000)
  /** Counts the connections of the run. */
  #connection = 0
  #sequence = 0
  #startedMs = 0
  #firmware: string
  /** Ends a download when the device is switched off. */
  #update: AbortController | undefined
  readonly #switchedOffMs = new Map<number, number>()
  /** Whether a time server has answered since the start. */
  #isClockSet = true

  constructor(plan: V2Plan, url: string, random: Random) {
    this.plan = plan
    this.#firmware = plan.firmware
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
      subscriptions: ['command', 'firmware'].map((kind) => v2Topic(plan.macAddress, kind)),
      status: () => this.#status(),
      onConnected: () => this.#outbox.resend(),
      onMessage: (topic, payload) => this.#receive(topic, payload),
    })
  }

  start(): void {
    this.#sequence = 0
    this.#connection = 0
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
    this.#update?.abort()
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
    this.#update?.abort()
    void this.#link.vanish()
    this.#outbox.clear()
    this.#board.restore()
    this.#run += 1
    this.#isClockSet = false
    this.#timers.after(this.#random.between(2_000, 4_000), () => {
      this.#timers.after(this.#random.between(1_000, 3_000), () => {
        this.#isClockSet = true
      })
      this.start()
    })
  }

  disturb(gpio: number, trouble: MeterTrouble, forMs: number): void {
    this.#meters.find((meter) => meter.gpio === gpio)?.disturb(trouble, forMs)
  }

  #status() {
    const topic = v2Topic(this.plan.macAddress, 'status')
    const sign = (message: object) => signed(topic, this.plan.secret, message)
    const { boot, run } = this.#runNames()
    this.#connection += 1
    const connection = this.#connection
    return {
      topic,
      online: () => sign({ ...this.#envelope(), status: 'online', connection }),
      offline: sign({ status: 'offline', boot, run, connection }),
    }
  }

  #receive(topic: string, payload: Buffer): void {
    const { secret } = this.plan
    const offer = readFirmwareOffer(topic, payload, secret)
    if (offer !== undefined) this.#take(offer)
    const command = readV2Command(topic, payload, secret)
    if (command !== undefined) this.#obey(command)
  }

  /** Devices wait for a random time before the first byte: many are offered it at once. */
  #take(offer: FirmwareOffer): void {
    if (offer.version === this.#firmware || this.#update !== undefined) return
    const update = new AbortController()
    this.#update = update
    const failed = (reason: unknown) => {
      const text = reason instanceof Error ? reason.message : String(reason)
      if (!update.signal.aborted) this.#send('firmware_failed', { rollout: offer.rollout, reason: text })
    }
    update.signal.addEventListener('abort', () => this.#ended(update))
    this.#timers.after(this.#random.between(200, 2_000), () => {
      this.#install(offer, update.signal)
        .catch(failed)
        .finally(() => this.#ended(update))
    })
  }

  #ended(update: AbortController): void {
    if (this.#update === update) this.#update = undefined
  }

  async #install(offer: FirmwareOffer, signal: AbortSignal): Promise<void> {
    const { version, neededHeapBytes } = await download(offer, signal)
    const { freeHeapBytes } = this.plan
    if (neededHeapBytes > freeHeapBytes)
      throw new Error(`${version} needs ${neededHeapBytes} bytes of memory, and there are ${freeHeapBytes}`)
    if (signal.aborted) return
    this.#firmware = version
    this.reboot()
  }

  #obey({ id, gpio, state, user }: NonNullable<ReturnType<typeof readV2Command>>): void {
    const reason = this.#refusal(gpio, state)
    if (reason !== undefined) {
      this.#send('refused', { command: id, reason })
      return
    }
    const answer = { ...user, command: id }
    const onMoved = (moved: Relay) => this.#moved(moved, 'backend', answer)
    // It answers also where nothing has to move.
    const onLeft = (left: Relay) => {
      if (left.on === state) this.#sendSwitch(left, 'backend', answer)
      else this.#send('refused', { command: id, reason: 'the relay was moved a moment ago' })
    }
    this.#board.move({ gpio, on: state, isManual: false, onMoved, onLeft })
  }

  #refusal(gpio: number, state: boolean): string | undefined {
    const one = this.plan.switches.find((other) => other.gpio === gpio)
    if (one === undefined || one.type === 'meter') return `there is no relay at gpio ${gpio}`
    const restMs = performance.now() - (this.#switchedOffMs.get(gpio) ?? Number.NEGATIVE_INFINITY)
    const isHot = one.type === 'projector' && state && restMs < coolingMs
    return isHot ? 'the projector is cooling down' : undefined
  }

  #moved(relay: Relay, cause: 'backend' | 'manual', user: object = {}): void {
    if (!relay.on) this.#switchedOffMs.set(relay.gpio, performance.now())
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
    this.#send('heartbeat', { uptimeMs, freeHeapBytes: this.plan.freeHeapBytes + this.#random.integer(-9_000, 9_000) })
  }

  #send(kind: 'switch' | 'refused' | 'firmware_failed' | 'power' | 'heartbeat', content: object): void {
    const { macAddress, secret } = this.plan
    const firmware = this.#firmware
    const topic = v2Topic(macAddress, kind)
    const message = { topic, payload: signed(topic, secret, { ...this.#envelope(), firmware, ...content }) }
    this.#outbox.send(message)
    // An acknowledgement got lost, and the message goes out a second time.
    if (this.#random.chance(0.02))
      this.#timers.after(this.#random.between(300, 3_000), () => this.#outbox.send(message))
  }

  #runNames() {
    return { boot: String(this.#run), run: this.#run }
  }

  /** What tells the next message from every other one, and when it is sent. */
  #envelope() {
    this.#sequence += 1
    return { id: `${this.#run}-${this.#sequence}`, ...this.#runNames(), seq: this.#sequence, ...this.#time() }
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
