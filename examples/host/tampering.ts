import type { AutoVolt } from '@autovolt/data'
import { Double, type ObjectId } from 'mongodb'

export interface Alteration {
  readonly entryId: string
  readonly switchId: string
  readonly sequence: number
  readonly field: string
  readonly was: number
  readonly is: number
}

const field = 'cumulativeEnergy'

/** Alters an entry as somebody would who has access to the database and wants a smaller bill: with the plain driver. */
export class Tampering {
  readonly #volt: AutoVolt
  #done: { readonly _id: ObjectId; readonly was: Double; readonly alteration: Alteration } | undefined

  constructor(volt: AutoVolt) {
    this.#volt = volt
  }

  get alteration(): Alteration | null {
    return this.#done?.alteration ?? null
  }

  /** Halves the energy in an entry of the middle of a chain. @returns null if no chain is long enough yet. */
  async alterOne(): Promise<Alteration | null> {
    if (this.#done !== undefined) return this.#done.alteration
    const chosen = await this.#choose()
    const was: unknown = chosen?.[field]
    if (chosen === null || !(was instanceof Double)) return null
    const is = new Double(Math.floor(was.value / 2))
    await this.#entries.updateOne({ _id: chosen._id }, { $set: { [field]: is } })
    const { _id, switchId, sequence } = chosen
    const place = { entryId: String(_id), switchId: String(switchId), sequence: Number(sequence) }
    this.#done = { _id, was, alteration: { ...place, field, was: was.value, is: is.value } }
    return this.#done.alteration
  }

  /** Puts back what was there, to the bit. */
  async undo(): Promise<void> {
    if (this.#done === undefined) return
    await this.#entries.updateOne({ _id: this.#done._id }, { $set: { [field]: this.#done.was } })
    this.#done = undefined
  }

  /** An entry that says something, in the middle of one of the longest chains. */
  async #choose() {
    for (const { switchId, last } of await this.#chains()) {
      const filter = { switchId, sequence: { $gte: Math.ceil(last / 2), $lt: last }, [field]: { $gt: 1 } }
      const found = await this.#entries.findOne(filter, { promoteValues: false, sort: { sequence: 1 } })
      if (found !== null) return found
    }
    return null
  }

  /** The chains by their length. */
  async #chains(): Promise<{ readonly switchId: ObjectId; readonly last: number }[]> {
    const devices = await this.#volt.devices.find({}, { select: ['switches'] })
    const ids = devices.flatMap(({ switches }) => switches.map(({ _id }) => _id))
    const heads = await Promise.all(
      ids.map((switchId) => this.#volt.ledger.findOne({ switchId }, { sort: { sequence: -1 }, select: ['sequence'] })),
    )
    const chains = heads.flatMap((head, at) => {
      const switchId = ids[at]
      return head === null || switchId === undefined ? [] : { switchId, last: head.sequence }
    })
    return chains.toSorted((a, b) => b.last - a.last)
  }

  /** The driver's own collection: the library is not asked. */
  get #entries() {
    return this.#volt.database.native.collection(this.#volt.entityOf('ledger').collection)
  }
}
