import { ObjectId } from 'mongodb'
import type { Clock } from '../core/clock.js'
import { NotFoundError } from '../core/errors.js'
import { where } from '../core/repository/conditions.js'
import type { Reader } from '../core/repository/reader.js'
import type { Classroom } from '../devices/classroom.js'
import type { Device, DeviceSwitch } from '../devices/device.js'
import type { DeviceRepository } from '../devices/device-repository.js'
import { normalizeMacAddress } from '../devices/mac-address.js'
import { DEFAULT_TARIFF } from '../energy/tariffs/cost-version.js'
import { gapLimitMs } from '../metering/index.js'
import { type Budget, BudgetedMap } from './budget.js'
import { isAuthentic } from './credential.js'
import type { Credential, DeviceReport, ReportedDevice } from './report.js'

/** A switch, and where its energy is accounted for. */
export type KnownSwitch = DeviceSwitch & { readonly classroom: ObjectId }

/** A registered device, as ingestion needs it. */
export interface KnownDevice {
  readonly id: ObjectId
  /** Where its energy is accounted for; undefined for one that is in no classroom: then it has no switches here. */
  readonly classroom: ObjectId | undefined
  /** The IANA zone of its site. */
  readonly timeZone: string
  /** The name of the tariff that its classroom's energy costs by. */
  readonly tariff: string
  readonly gapLimitMs: number
  readonly switches: ReadonlyMap<number, KnownSwitch>
  /** Those whose energy is computed from their rating. */
  readonly ratedSwitches: readonly KnownSwitch[]
  /** As it was when last read. */
  readonly document: Device
}

type Site = Pick<KnownDevice, 'timeZone' | 'tariff'>

interface Cached {
  readonly device: KnownDevice
  readonly readMs: number
}

const freshMs = 10_000
const unknownFreshMs = 1_000
const maximumEntries = 200_000
const unknownBytes = 4 * 1024 * 1024
const unknownSite: Site = { timeZone: 'UTC', tariff: DEFAULT_TARIFF }

/** The registered devices by what messages call them; read in batches, and again after ten seconds. */
export class DeviceDirectory {
  readonly #devices: DeviceRepository
  readonly #classrooms: Reader<Classroom>
  readonly #clock: Clock
  readonly #cached = new Map<string, Cached>()
  /** When it was found that no device is called so. */
  readonly #unknown = new BudgetedMap<number>(unknownBytes, () => 8)
  readonly #secrets = new Map<string, { readonly version: number; readonly secret: string | undefined }>()
  /** Devices with a right signature that may not be in the documents yet, by their ids. */
  readonly #signed = new Set<string>()

  constructor(devices: DeviceRepository, classrooms: Reader<Classroom>, clock: Clock) {
    this.#devices = devices
    this.#classrooms = classrooms
    this.#clock = clock
  }

  /** Reads those of the devices that are not known, or not freshly, and their secrets. */
  async prepare(reports: readonly Pick<DeviceReport, 'device' | 'credential'>[]): Promise<void> {
    const nowMs = this.#clock.now().getTime()
    // Before it is known which devices have to be read: none of this batch may be missing.
    if (this.#cached.size > maximumEntries) this.#cached.clear()
    const stale = new Map<string, ReportedDevice>()
    for (const { device } of reports) {
      const key = keyOf(device)
      if (key !== undefined && !this.#isFresh(key, nowMs)) stale.set(key, device)
    }
    if (stale.size > 0) await this.#read(stale, nowMs)
    await this.#readSecrets(reports)
  }

  /** The device, as {@link prepare} found it. */
  find(reported: ReportedDevice): KnownDevice | undefined {
    const key = keyOf(reported)
    return key === undefined ? undefined : this.#cached.get(key)?.device
  }

  /** Whether the credential proves that its message is the device's, for a device that {@link prepare} found. */
  isAuthentic(credential: Credential, device: KnownDevice): boolean {
    const secret = this.#secrets.get(device.id.toHexString())?.secret
    const strongest = secret === undefined ? 'broker' : this.#hasSigned(device) ? 'signature' : 'secret'
    return isAuthentic(credential, { secret, required: device.document.authentication ?? strongest })
  }

  /** A message of the device had a right signature: from here on all have to. */
  signed(device: KnownDevice): void {
    if (device.document.hasSigned !== true) this.#signed.add(device.id.toHexString())
  }

  /** Whether all messages of the device need a signature. */
  needsSignature(device: KnownDevice): boolean {
    const { authentication } = device.document
    return authentication === undefined ? this.#hasSigned(device) : authentication === 'signature'
  }

  #hasSigned({ id, document }: KnownDevice): boolean {
    return document.hasSigned === true || this.#signed.has(id.toHexString())
  }

  /** Forgets what was read, so that everything is read again. */
  clear(): void {
    this.#cached.clear()
    this.#unknown.clear()
  }

  /** What the names take that no device has: anybody can send any. */
  get budget(): Budget {
    return this.#unknown.budget
  }

  #isFresh(key: string, nowMs: number): boolean {
    const cached = this.#cached.get(key)
    if (cached !== undefined) return nowMs - cached.readMs < freshMs
    const missedMs = this.#unknown.get(key)
    return missedMs !== undefined && nowMs - missedMs < unknownFreshMs
  }

  async #read(stale: ReadonlyMap<string, ReportedDevice>, nowMs: number): Promise<void> {
    const addresses = [...stale.values()].flatMap((device) =>
      'macAddress' in device ? (normalizeMacAddress(device.macAddress) ?? []) : [],
    )
    const ids = [...stale.values()].flatMap((device) =>
      'deviceId' in device && ObjectId.isValid(device.deviceId) ? [new ObjectId(device.deviceId)] : [],
    )
    const found = [...(await this.#documents('macAddress', addresses)), ...(await this.#documents('_id', ids))]
    const sites = await this.#sites(found)
    for (const key of stale.keys()) this.#cached.delete(key)
    for (const document of found) {
      const device = toKnownDevice(document, siteOf(document, sites))
      for (const key of [document.macAddress, document._id.toHexString()]) {
        if (key !== undefined && stale.has(key)) this.#cached.set(key, { device, readMs: nowMs })
      }
    }
    for (const key of stale.keys()) {
      if (this.#cached.has(key)) this.#unknown.delete(key)
      else this.#unknown.set(key, nowMs)
    }
  }

  async #readSecrets(reports: readonly Pick<DeviceReport, 'device' | 'credential'>[]): Promise<void> {
    const unread = new Map<string, KnownDevice>()
    for (const { device: reported, credential } of reports) {
      if (credential.kind === 'none') continue
      const device = this.find(reported)
      if (device === undefined) continue
      const key = device.id.toHexString()
      if (this.#secrets.get(key)?.version !== device.document.__v) unread.set(key, device)
    }
    await Promise.all([...unread].map(([key, device]) => this.#readSecret(key, device)))
  }

  async #readSecret(key: string, { id, document }: KnownDevice): Promise<void> {
    const secret = await this.#devices.revealDeviceSecret(id).catch((error: unknown) => {
      if (error instanceof NotFoundError) return undefined
      throw error
    })
    this.#secrets.set(key, { version: document.__v, secret })
  }

  async #documents(field: 'macAddress' | '_id', values: readonly (string | ObjectId)[]): Promise<Device[]> {
    if (values.length === 0) return []
    const filter =
      field === '_id' ? { _id: where.in(values as ObjectId[]) } : { macAddress: where.in(values as string[]) }
    const documents: Device[] = []
    for await (const document of this.#devices.stream(filter)) documents.push(document)
    return documents
  }

  async #sites(devices: readonly Device[]): Promise<Map<string, Site>> {
    const rooms = devices.flatMap(({ classroom }) => classroom ?? [])
    const ids = [...new Map(rooms.map((room) => [room.toHexString(), room])).values()]
    const sites = new Map<string, Site>()
    if (ids.length === 0) return sites
    for await (const { _id, timeZone, tariff = DEFAULT_TARIFF } of this.#classrooms.stream(
      { _id: where.in(ids) },
      { withDeleted: true },
    )) {
      sites.set(_id.toHexString(), { timeZone, tariff })
    }
    return sites
  }
}

function keyOf(device: ReportedDevice): string | undefined {
  return 'macAddress' in device ? normalizeMacAddress(device.macAddress) : device.deviceId
}

function siteOf({ classroom }: Device, sites: ReadonlyMap<string, Site>): Site {
  return (classroom && sites.get(classroom.toHexString())) ?? unknownSite
}

function toKnownDevice(document: Device, { timeZone, tariff }: Site): KnownDevice {
  const { classroom } = document
  const switches = classroom === undefined ? [] : document.switches.map((one) => ({ ...one, classroom }))
  return {
    id: document._id,
    classroom,
    timeZone,
    tariff,
    gapLimitMs: gapLimitMs(document.reportingPeriodMs),
    switches: new Map(switches.map((one) => [one.gpio, one])),
    ratedSwitches: switches.filter(({ energySource }) => energySource === 'rated'),
    document,
  }
}
