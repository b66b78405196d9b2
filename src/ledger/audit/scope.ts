import type { ObjectId } from 'mongodb'
import { toObjectId } from '../../core/fields.js'
import type { Seam } from '../archive/archive-entities.js'
import { isOfClassroom, isOfDevice, keyOfSwitchId, type StoredBytes } from '../entry/stored-bytes.js'
import type { FollowedChain } from './chain-pass.js'
import type { VerifyOptions } from './verify-options.js'

/** Chains by whose entries are in them: those of a device, of a classroom, or of both. */
export class DeviceScope {
  readonly #deviceId: ObjectId | undefined
  readonly #classroom: ObjectId | undefined
  readonly #ofDevice = new Set<string>()
  readonly #ofClassroom = new Set<string>()

  /** @returns undefined if no place was asked for. */
  static of({ deviceId, classroom }: VerifyOptions, seams: readonly Seam[]): DeviceScope | undefined {
    if (deviceId === undefined && classroom === undefined) return undefined
    const scope = new DeviceScope(idOf(deviceId), idOf(classroom))
    for (const seam of seams) scope.#takeSeam(seam)
    return scope
  }

  private constructor(deviceId: ObjectId | undefined, classroom: ObjectId | undefined) {
    this.#deviceId = deviceId
    this.#classroom = classroom
  }

  /** What follows on an archived entry is of its place, until one says otherwise. */
  #takeSeam({ switchId, deviceId, classroom }: Seam): void {
    const chain = keyOfSwitchId(switchId.toHexString())
    if (this.#deviceId?.equals(deviceId)) this.#ofDevice.add(chain)
    if (this.#classroom?.equals(classroom)) this.#ofClassroom.add(chain)
  }

  /** Takes an entry of a chain that has the hash it carries. */
  take(chain: string, entry: StoredBytes): void {
    if (this.#deviceId !== undefined && isOfDevice(entry, this.#deviceId.id)) this.#ofDevice.add(chain)
    if (this.#classroom !== undefined && isOfClassroom(entry, this.#classroom.id)) this.#ofClassroom.add(chain)
  }

  /** Whether the chain has entries of the place. */
  has(chain: string): boolean {
    return (
      (this.#deviceId === undefined || this.#ofDevice.has(chain)) &&
      (this.#classroom === undefined || this.#ofClassroom.has(chain))
    )
  }
}

function idOf(id: ObjectId | string | undefined): ObjectId | undefined {
  return id === undefined ? undefined : toObjectId(id)
}

/**
 * What a verification is about, as far as sound entries say. A chain is left out only if it is sound and of others: of one that
 * is damaged, or gone, nobody knows whose its entries were.
 */
export class Scope {
  /** The chains that were asked for by their switches; undefined if all were. */
  readonly switchIds: readonly ObjectId[] | undefined
  readonly ofDevices: DeviceScope | undefined
  readonly #switches: ReadonlySet<string> | undefined

  constructor(options: VerifyOptions, seams: readonly Seam[]) {
    this.switchIds = options.switchIds?.map((id) => toObjectId(id, 'switchIds'))
    this.#switches = this.switchIds && new Set(this.switchIds.map((id) => keyOfSwitchId(id.toHexString())))
    this.ofDevices = DeviceScope.of(options, seams)
  }

  /** Whether something that is found in the chain is to be reported. */
  concerns(chain: string, { chains, suspects }: Passed): boolean {
    if (this.#switches?.has(chain) === false) return false
    return this.ofDevices === undefined || !chains.has(chain) || suspects.has(chain) || this.ofDevices.has(chain)
  }

  /** Those of the chains that are in the scope. */
  of(chains: Iterable<readonly [string, FollowedChain]>): (readonly [string, FollowedChain])[] {
    return [...chains].filter(
      ([chain]) => this.#switches?.has(chain) !== false && (this.ofDevices === undefined || this.ofDevices.has(chain)),
    )
  }
}

/** What a pass over all entries knows of their chains. */
interface Passed {
  readonly chains: ReadonlyMap<string, FollowedChain>
  readonly suspects: ReadonlySet<string>
}
