import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../core/database.js'
import { forEachConcurrently } from '../core/for-each-concurrently.js'
import { where } from '../core/repository/conditions.js'
import type { Device } from '../devices/device.js'
import type { DeviceRepository } from '../devices/device-repository.js'
import type { DeviceCommand } from './command.js'
import type { Claim, CommandClaims } from './command-claims.js'
import type { CommandSender, Sent } from './command-sender.js'
import type { CommandWaiters } from './command-waiters.js'
import { permitUntil } from './transport.js'

export interface WorkerParts {
  readonly database: Database
  readonly devices: DeviceRepository
  readonly claims: CommandClaims
  readonly sender: CommandSender
  readonly waiters: CommandWaiters
}

export interface WorkerTimes {
  readonly batch: number
  readonly pollMs: number
  readonly leaseMs: number
}

/** The part of a lease in which nothing is sent any more. */
const marginOfLease = 0.2
const devicesAtOnce = 64
/** After which time a command to a device that is not there is looked at again. */
const putBackMs = 3_000

/** Sends the commands of the queue, as one of any number of workers. */
export class CommandWorker {
  readonly #parts: WorkerParts
  readonly #times: WorkerTimes
  readonly #stopping = new AbortController()
  readonly #ended: Promise<void>
  #wake: (() => void) | undefined
  #isWoken = false
  #settledMs = Number.NEGATIVE_INFINITY

  constructor(parts: WorkerParts, times: WorkerTimes) {
    this.#parts = parts
    this.#times = times
    this.#ended = this.#run()
  }

  /** There may be something to send. */
  wake(): void {
    this.#isWoken = true
    this.#wake?.()
  }

  /** Ends with what is being sent. What is left of a claim is taken over when its lease ends. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#wake?.()
    await this.#ended
  }

  async #run(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      this.#isWoken = false
      const found = await this.#turn().catch((error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error)
        if (!signal.aborted) this.#parts.database.logger.warn({ reason }, 'commands were not sent')
        return 0
      })
      if (found === 0 && !this.#isWoken && !signal.aborted) await this.#rest()
    }
  }

  /** With jitter, so that workers do not all look at once. */
  async #rest(): Promise<void> {
    const restMs = this.#times.pollMs * (0.75 + Math.random() / 2)
    const waking = new AbortController()
    this.#wake = () => waking.abort()
    await sleep(restMs, undefined, { signal: waking.signal, ref: false }).catch(() => undefined)
    this.#wake = undefined
  }

  async #turn(): Promise<number> {
    const { claims, sender } = this.#parts
    const nowMs = performance.now()
    if (nowMs - this.#settledMs >= this.#times.pollMs) {
      this.#settledMs = nowMs
      await claims.settleDue()
    }
    const claim = await claims.claim(sender.protocols, this.#times.batch)
    if (claim.commands.length > 0) await this.#send(claim)
    return claim.commands.length
  }

  async #send({ commands, sinceMs }: Claim): Promise<void> {
    const devices = await this.#devicesOf(commands)
    const permit = permitUntil(sinceMs + this.#times.leaseMs * (1 - marginOfLease), this.#stopping.signal)
    const results: { readonly command: DeviceCommand; readonly sent: Sent }[] = []
    await forEachConcurrently(byDevice(commands), devicesAtOnce, async (ofDevice) => {
      for (const command of ofDevice) {
        if (!permit.isValid()) return
        const sent = await this.#parts.sender.send(command, devices.get(command.device.toHexString()), permit)
        results.push({ command, sent })
      }
    })
    await this.#store(results)
  }

  async #store(results: readonly { readonly command: DeviceCommand; readonly sent: Sent }[]): Promise<void> {
    const { claims, waiters } = this.#parts
    const ended = results.flatMap(({ command, sent }) => (sent.kind === 'ended' ? [{ command, end: sent.end }] : []))
    const sent = results.flatMap(({ command, sent: one }) => (one.kind === 'sent' ? [{ command, ...one }] : []))
    const left = results.flatMap(({ command, sent: one }) => (one.kind === 'not_sent' ? [command] : []))
    if (ended.length > 0) await claims.endHeld(ended)
    if (sent.length > 0) await claims.markSent(sent)
    if (left.length > 0) await claims.putBack(left, putBackMs)
    waiters.settle(ended.map(({ command }) => command._id))
  }

  async #devicesOf(commands: readonly DeviceCommand[]): Promise<Map<string, Device>> {
    const ids = [...new Map(commands.map(({ device }) => [device.toHexString(), device])).values()]
    const found = await this.#parts.devices.find({ _id: where.in(ids) }, { limit: 1_000 })
    return new Map(found.map((device) => [device._id.toHexString(), device]))
  }
}

function byDevice(commands: readonly DeviceCommand[]): DeviceCommand[][] {
  const groups = new Map<string, DeviceCommand[]>()
  for (const command of commands) {
    const key = command.device.toHexString()
    groups.set(key, [...(groups.get(key) ?? []), command])
  }
  return [...groups.values()]
}
