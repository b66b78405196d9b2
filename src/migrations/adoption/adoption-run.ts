import type { Document, ObjectId } from 'mongodb'
import { forEachConcurrently } from '../../core/for-each-concurrently.js'
import type { DeviceInput } from '../../devices/device.js'
import { adoptRegistry } from './adopt-registry.js'
import { leaveSolchainStrays, leaveStrays } from './adopt-strays.js'
import type { AdoptedDevice, AdoptionContext } from './context.js'
import { adoptDevice } from './device/adopt-device.js'
import { adoptSolchainDevice } from './device/adopt-solchain-device.js'
import { bareAddress } from './device/whole-sources.js'
import type { Kept } from './findings.js'
import type { OriginChanges } from './follow-adoption.js'
import type { OriginIds } from './map/origin-ids.js'
import { adoptedSwitches } from './map/switches.js'
import { given, looseId, shownId } from './map/values.js'
import { adoptMarket, marketCollections } from './market/adopt-market.js'
import { remarksOf } from './remarks.js'
import type { AdoptionReport, Treatment } from './report.js'
import { keptCollections, treatmentOf } from './treatments.js'

/** What writing takes on a machine of two cores besides reading, by the long form of tests/system/adoption-large.test.ts. */
const writing = { documentsPerSecond: 2_500, deviceMs: 40 }
const keptAtOnce = 500
/** Most of what a device takes is waiting for the server's journal. */
const devicesAtOnce = 8

/** One run of an adoption. It reads everything, and writes what is not there yet. */
export class AdoptionRun {
  readonly #context: AdoptionContext

  constructor(context: AdoptionContext) {
    this.#context = context
  }

  async run(): Promise<AdoptionReport> {
    const startedMs = performance.now()
    const { registry, store } = this.#context
    for (const finding of registry.findings) this.#context.find(finding)
    await store?.flush()
    const devices = await adoptRegistry(this.#devices(), this.#context)
    await this.#keepForLater()
    await forEachConcurrently(devices, devicesAtOnce, (device) => this.#adoptDevice(device))
    await this.#leaveStrays(devices)
    if (this.#isSolchain) await adoptMarket(this.#context)
    await store?.end()
    return this.#report(Math.round(performance.now() - startedMs))
  }

  /**
   * Adopts what has changed: everything but what grows with time, and what that is of the devices that are named.
   * @returns how many devices these were.
   */
  async runFor({ devices: named, collections }: OriginChanges): Promise<number> {
    const { registry, store } = this.#context
    for (const finding of registry.findings) this.#context.find(finding)
    const devices = await adoptRegistry(this.#devices(), this.#context)
    if (keptCollections(this.#context.origin.mapping).some((one) => collections.has(one))) await this.#keepForLater()
    const changed = devices.filter((device) => isNamed(device, named))
    await forEachConcurrently(changed, devicesAtOnce, (device) => this.#adoptDevice(device))
    if (this.#isSolchain && marketCollections.some((one) => collections.has(one))) await adoptMarket(this.#context)
    await store?.flush(1)
    return changed.length
  }

  get #isSolchain(): boolean {
    return this.#context.origin.mapping.system === 'solchain'
  }

  #devices(): AdoptedDevice[] {
    const { devices, deviceIds, kinds, aliases } = this.#context.registry
    return devices.inputs.map(({ input, document }) => ({
      input: input as AdoptedDevice['input'],
      document,
      names: namesOf(input, document, deviceIds),
      switches: adoptedSwitches(document, input, kinds, aliases.get(shownId(input._id)) ?? []),
    }))
  }

  /** Adopts what grows with time of one device. */
  async #adoptDevice(device: AdoptedDevice): Promise<void> {
    this.#context.options.signal?.throwIfAborted()
    await (this.#isSolchain ? adoptSolchainDevice(device, this.#context) : adoptDevice(device, this.#context))
  }

  /** Keeps documents that the library has no place for yet, with the ids of the rooms that they name. */
  async #keepForLater(): Promise<void> {
    const { origin, registry, store, tally } = this.#context
    for (const collection of keptCollections(origin.mapping)) {
      let batch: Kept[] = []
      const keep = async () => {
        await store?.keep(batch, collection)
        tally.adopt('kept', batch.length)
        batch = []
      }
      for await (const document of this.#context.read(collection, {}, { _id: 1 })) {
        const room = document.classroom === undefined ? undefined : registry.roomOf(document.classroom)
        batch.push({ document, with: given('classroom', room?._id) })
        if (batch.length >= keptAtOnce) await keep()
      }
      await keep()
    }
  }

  async #leaveStrays(devices: readonly AdoptedDevice[]): Promise<void> {
    const { system } = this.#context.origin.mapping
    if (system === 'autovolt') await leaveStrays(devices, this.#context)
    if (system === 'solchain') await leaveSolchainStrays(devices, this.#context)
  }

  #writingMs(): number {
    const { devices, classrooms, costVersions, powerSettings, ...growing } = this.#context.tally.adopted
    const documents = Object.values(growing).reduce((sum, count) => sum + count, 0)
    return Math.round((documents * 1000) / writing.documentsPerSecond + devices * writing.deviceMs)
  }

  async #report(durationMs: number): Promise<AdoptionReport> {
    const { origin, store, tally } = this.#context
    const { mapping, name } = origin
    const counts = await origin.counts()
    const collections = [...counts].map(([collection, documents]) => {
      const standard = origin.standardNameOf(collection)
      const treatment: Treatment = standard === undefined ? 'stays' : treatmentOf(mapping, standard)
      return { collection, documents, treatment, ...tally.reasonsOf(standard ?? collection) }
    })
    return {
      system: mapping.system,
      from: name,
      isAssessment: store === undefined,
      collections,
      adopted: tally.adopted,
      switches: tally.switches.toSorted(bySwitch),
      wholeDevices: tally.wholeDevices.toSorted(bySwitch),
      days: tally.days,
      remarks: remarksOf(this.#context, collections),
      mapping,
      durationMs,
      ...(store === undefined ? { estimatedMs: durationMs + this.#writingMs() } : {}),
    }
  }
}

/** What documents of the origin name a device with. */
function namesOf(input: DeviceInput, document: Document, ids: OriginIds): unknown[] {
  const address = bareAddress(input)
  const forms = ids.formsOf(document._id)
  return ids.find(address) === undefined ? [...forms, address] : forms
}

/** @param named By {@link looseId}. */
function isNamed({ names, document }: AdoptedDevice, named: ReadonlySet<string>): boolean {
  return [...names, document.device_id].some((name) => named.has(looseId(name)))
}

function bySwitch(one: { readonly switchId: ObjectId }, other: { readonly switchId: ObjectId }): number {
  return one.switchId.toHexString() < other.switchId.toHexString() ? -1 : 1
}
