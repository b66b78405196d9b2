import { Readable } from 'node:stream'
import type { AutoVolt, Rollout } from '@autovolt/data'
import { offerFirmwareBy } from '@autovolt/data/mqtt'
import type { MqttClient } from 'mqtt'
import { v2Board } from './registration.js'
import { simulatedImage } from './simulator/firmware-image.js'
import type { Visitor } from './visitors.js'

/** Half of the devices, and two seconds later the others. */
const usual = { stages: [50, 100], advanceAt: { minimum: 0, percent: 0, soakMs: 2_000 }, perMinute: 60 }
/** At the second device that fails. */
const haltAt = { minimum: 2, percent: 10 }
const needs = { good: 40_000, hungry: 170_000 } as const
const changes = ['pause', 'resume', 'cancel'] as const

export type RolloutChange = (typeof changes)[number]

/** Brings made-up firmware to the simulated devices of version 2. */
export class FirmwareRollouts {
  readonly #volt: AutoVolt
  readonly #client: MqttClient

  constructor(volt: AutoVolt, client: MqttClient) {
    this.#volt = volt
    this.#client = client
  }

  /** Moves roll-outs on. @param baseUrl Where the devices reach the downloads. @returns how to end it. */
  start(baseUrl: string): () => Promise<void> {
    return this.#volt.firmware.start({ baseUrl, offer: offerFirmwareBy(this.#client, this.#volt), everyMs: 1_000 })
  }

  /**
   * Uploads an image, and begins to roll it out. @param kind A `hungry` one needs more memory than some devices have.
   * @throws AccessDeniedError for who may not set up devices.
   */
  async rollOut(
    visitor: Visitor,
    kind: keyof typeof needs,
  ): Promise<{ readonly id: string; readonly version: string }> {
    await visitor.volt.require('create', 'devices')
    const version = `2.2.${await this.#volt.firmware.count()}`
    const image = Readable.from([simulatedImage({ version, neededHeapBytes: needs[kind] })])
    const input = { version, board: v2Board, notes: `needs ${needs[kind]} bytes of memory`, createdBy: visitor.id }
    const { _id: firmware } = await this.#volt.firmware.upload(input, image)
    const { _id } = await this.#volt.firmware.rollOut({ firmware, ...usual, haltAt, createdBy: visitor.id })
    return { id: _id.toHexString(), version }
  }

  /** @throws AccessDeniedError; NotFoundError where it is in no state for that. */
  async change(visitor: Visitor, id: string, change: RolloutChange): Promise<Rollout> {
    await visitor.volt.require('create', 'devices')
    return this.#volt.firmware[change](id)
  }

  /** The last roll-outs, with how far the devices are. */
  async view() {
    const rollouts = await this.#volt.firmwareRollouts.find({}, { sort: { _id: -1 }, limit: 5 })
    return Promise.all(
      rollouts.map(async ({ _id, version, status, stage, stages, reason, createdAt }) => ({
        id: _id.toHexString(),
        version,
        status,
        percent: stages[stage] ?? 100,
        reason: reason ?? null,
        startedAt: createdAt,
        counts: await this.#volt.firmware.progress(_id),
        devices: await this.#devices(_id),
      })),
    )
  }

  async #devices(rollout: Rollout['_id']) {
    const installs = await this.#volt.firmwareInstalls.find({ rollout }, { limit: 100 })
    return Promise.all(
      installs.map(async ({ device, status, reason }) => ({
        name: (await this.#volt.devices.findOne({ _id: device }))?.name ?? 'a device that is gone',
        status,
        reason: reason ?? null,
      })),
    )
  }
}
