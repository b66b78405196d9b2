import { DeviceLink } from './device-link.js'
import { fitInto, printInto } from './fixed-buffer.js'
import type { DeployedPlan, SimulatedDevice } from './plan.js'
import type { Random } from './random.js'
import { type Relay, RelayBoard } from './relay-board.js'
import { readSwitchCommand } from './switch-command.js'
import { Timers } from './timers.js'
import { Uptime } from './uptime.js'

/** Where the installation has its retained `online` and `offline`. */
export const deployedStatusTopic = 'esp32/status/{mac}'

const heartbeatMs = 30_000

/** An ESP32 with the firmware that is in the field: it speaks that protocol to the letter, and has its weaknesses. */
export class DeployedDevice implements SimulatedDevice {
  readonly plan: DeployedPlan
  readonly #random: Random
  readonly #timers = new Timers()
  readonly #board: RelayBoard
  readonly #uptime: Uptime
  readonly #link: DeviceLink

  constructor(plan: DeployedPlan, url: string, random: Random) {
    this.plan = plan
    this.#random = random
    const relays = plan.switches.map(({ gpio }) => ({ gpio, on: random.chance(0.6) }))
    this.#board = new RelayBoard(relays, this.#timers)
    this.#uptime = new Uptime(random.between(-40, 40), plan.uptimeMs)
    this.#link = new DeviceLink({
      url,
      clientId: `ESP32_${plan.macAddress.replaceAll(':', '')}`,
      subscriptions: ['esp32/switches'],
      status: () => ({
        topic: deployedStatusTopic.replace('{mac}', plan.macAddress),
        online: () => 'online',
        offline: 'offline',
      }),
      onConnected: () => this.#sendState(),
      onMessage: (_topic, payload) => this.#obey(payload),
    })
  }

  start(): void {
    this.#link.connect()
    this.#timers.repeat(
      () => this.plan.reportingPeriodMs + this.#random.between(-400, 0),
      () => this.#sendState(),
    )
    this.#timers.repeat(
      () => heartbeatMs + this.#random.between(-200, 200),
      () => this.#sendHeartbeat(),
    )
  }

  async stop(): Promise<void> {
    this.#timers.clear()
    await this.#link.vanish()
  }

  press(gpio: number): void {
    const relay = this.#board.find(gpio)
    if (relay === undefined) return
    const onMoved = (moved: Relay) => {
      const { gpio, on } = moved
      this.#report({
        ...this.#who,
        type: 'manual_switch',
        gpio,
        state: on,
        physicalPin: gpio + 9,
        timestamp: this.#uptime.millis,
      })
    }
    this.#board.move({ gpio, on: !relay.on, isManual: true, onMoved })
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
    this.#board.restore()
    this.#timers.after(this.#random.between(1_000, 2_500), () => {
      this.#uptime.restart()
      // It takes a while until the Wi-Fi is there.
      this.#timers.after(this.#random.between(800, 2_000), () => this.start())
    })
  }

  disturb(): void {}

  get #who() {
    return { mac: this.plan.macAddress, secret: this.plan.secret }
  }

  /** All devices hear all commands; this one does what names its address and its secret. */
  #obey(payload: Buffer): void {
    const command = readSwitchCommand(payload, this.plan)
    if (command === undefined) return
    const { gpio, on, user } = command
    const onMoved = () => {
      const told = { gpio, state: on, source: 'backend', timestamp: this.#uptime.millis }
      this.#report({ ...this.#who, type: 'switch_event', ...told, ...user })
    }
    this.#board.move({ gpio, on, isManual: false, onMoved })
  }

  /** A move shows as an event and as a snapshot; which of them comes first is up to the tasks of the firmware. */
  #report(event: Record<string, unknown>): void {
    const sendEvent = () =>
      this.#link.publish('esp32/telemetry', printInto(this.plan.buffers.event, fitInto(this.plan.documentBytes, event)))
    const sendState = () => this.#sendState()
    const [first, second] = this.#random.chance(0.7) ? [sendEvent, sendState] : [sendState, sendEvent]
    first()
    this.#timers.after(this.#random.between(5, 80), second)
    // The publish task now and then takes a message for lost that was not.
    if (this.#random.chance(0.05)) this.#timers.after(this.#random.between(100, 400), sendEvent)
  }

  #sendState(): void {
    const switches = this.#board.relays.map(({ gpio, on, manualOverride }) => ({
      gpio,
      state: on,
      manual_override: manualOverride,
    }))
    this.#link.publish('esp32/state', printInto(this.plan.buffers.state, { ...this.#who, switches }))
  }

  #sendHeartbeat(): void {
    const heap = 181_000 + this.#random.integer(-6_000, 6_000)
    const heartbeat = { mac: this.plan.macAddress, status: 'heartbeat', heap, uptime: this.#uptime.millis }
    this.#link.publish('esp32/telemetry', printInto(this.plan.buffers.heartbeat, heartbeat))
  }
}
