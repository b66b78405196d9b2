import { ObjectId } from 'mongodb'
import type { ComparedDay } from './findings.js'
import type { Conflict, Finding, FindingKind } from './map/mapped.js'
import type { SwitchChange } from './map/presses.js'
import { idKey, shownId } from './map/values.js'
import type { AdoptionMapping, OriginSystem } from './mapping/mapping.js'

/**
 * What becomes of a collection: `adopted` into ours; `compared` with what we compute; `kept` in `adoption_extras` until there is a
 * place for it; or it `stays` where it is, and nothing is made of it.
 */
export type Treatment = 'adopted' | 'compared' | 'kept' | 'stays'

/** Collection adoption: what became of a collection of the origin. */
export interface CollectionAdoption {
  /** Its name in the origin. */
  readonly collection: string
  readonly documents: number
  readonly treatment: Treatment
  /** Documents that were left, and those that were adopted but for something of them. */
  readonly left: number
  readonly noted: number
  /** How often each reason was given, and for example for which documents; ids of other documents in it are cut off. */
  readonly reasons: readonly { readonly reason: string; readonly count: number; readonly examples: readonly string[] }[]
  /** What of the documents that were left, or not changed, others have already. */
  readonly conflicts: readonly ConflictAdoption[]
}

/** Conflict adoption: documents of the origin with something that another document of ours has already, and no two may share. */
export interface ConflictAdoption {
  /** What they share. */
  readonly fields: readonly string[]
  readonly count: number
  /** The id of the one there, and that of the one here: one that was here before, or another one of the origin. */
  readonly examples: readonly { readonly originId: string; readonly existingId: string }[]
}

/** Switch adoption: what a switch has used according to the origin, and to the ledger. */
export interface SwitchAdoption {
  readonly deviceId: ObjectId
  readonly switchId: ObjectId
  readonly name: string
  /** The collection of the origin that its energy is counted from. */
  readonly collection: string
  readonly entries: number
  /** W·s; by the presses and what they switched. */
  readonly energyWs: number
  /** W·s; what the ledger's entries say of the same time. Undefined in an assessment. */
  readonly ledgerEnergyWs?: number
}

/** Whole device adoption: what is known of a device only as a whole. */
export interface WholeDeviceAdoption {
  readonly deviceId: ObjectId
  /** The channel that stands for the device. */
  readonly switchId: ObjectId
  /** The collections of the origin that its energy is counted from, each for days that no better collection covers. */
  readonly collections: readonly string[]
  readonly days: number
  /** Wh */
  readonly energyWh: number
  readonly productionWh: number
}

/** Days or months that a collection of the origin covers, against what we compute for them. */
export interface DayComparison {
  readonly collection: string
  readonly compared: number
  readonly differing: number
  /** The first ones that differ; all are in `adoption_days`. */
  readonly examples: readonly ComparedDay[]
}

/** Adoption report: what an adoption has done, or would do. */
export interface AdoptionReport {
  readonly system: OriginSystem
  readonly from: string
  /** True if nothing was written. */
  readonly isAssessment: boolean
  readonly collections: readonly CollectionAdoption[]
  /** Documents for each of our collections; those that were there already are counted too. */
  readonly adopted: Readonly<Record<AdoptedKey, number>>
  readonly switches: readonly SwitchAdoption[]
  readonly wholeDevices: readonly WholeDeviceAdoption[]
  readonly days: readonly DayComparison[]
  /** What a person has to know or to decide, each with what to do next. */
  readonly remarks: readonly string[]
  /** What became of what: it can be edited and given back. */
  readonly mapping: AdoptionMapping
  /** ms; how long the run took. */
  readonly durationMs: number
  /** ms; how long an adoption will take about, of an assessment. */
  readonly estimatedMs?: number
}

const adoptedKeys = [
  'users',
  'classrooms',
  'devices',
  'costVersions',
  'powerSettings',
  'ledgerEntries',
  'activities',
  'measurements',
  'telemetryEvents',
  'marketOrders',
  'marketTransactions',
  'kept',
] as const
export type AdoptedKey = (typeof adoptedKeys)[number]

const exampleCount = 5
const dayExamples = 20
/** Ids in reasons. */
const shownIds = /[0-9a-f]{24}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g
/** Different reasons that are counted for a collection. */
const mostReasons = 200

interface Reason {
  count: number
  readonly examples: string[]
}

interface ConflictCount {
  readonly fields: readonly string[]
  count: number
  readonly examples: { readonly originId: string; readonly existingId: string }[]
}

interface SwitchSum {
  readonly deviceId: ObjectId
  readonly name: string
  readonly collection: string
  entries: number
  energyMws: number
}

/** Counts what is found and written. */
export class Tally {
  readonly wholeDevices: WholeDeviceAdoption[] = []
  readonly ledgerEnergyWs = new Map<string, number>()
  /** Collections with documents that name another by its id in another form. */
  readonly otherForms = new Set<string>()
  readonly #findings = new Map<string, Record<FindingKind, number>>()
  readonly #conflicts = new Map<string, Map<string, ConflictCount>>()
  readonly #reasons = new Map<string, Map<string, Reason>>()
  readonly #adopted = Object.fromEntries(adoptedKeys.map((key) => [key, 0])) as Record<AdoptedKey, number>
  readonly #switches = new Map<string, SwitchSum>()
  readonly #days = new Map<string, { compared: number; differing: number; readonly examples: ComparedDay[] }>()

  find({ kind, collection, document, reason, conflict }: Finding): void {
    const counts = this.#findings.get(collection) ?? { left: 0, noted: 0 }
    counts[kind] += 1
    this.#findings.set(collection, counts)
    const reasons = this.#reasons.get(collection) ?? new Map<string, Reason>()
    this.#reasons.set(collection, reasons)
    const kindOfReason = reasons.size < mostReasons ? reason.replace(shownIds, '…') : 'other reasons'
    const known = reasons.get(kindOfReason) ?? { count: 0, examples: [] }
    reasons.set(kindOfReason, known)
    known.count += 1
    keepFirst(known.examples, idKey(document._id), exampleCount, (id) => id)
    if (conflict !== undefined) this.#findConflict(collection, idKey(document._id), conflict)
  }

  #findConflict(collection: string, originId: string, { fields, existingId }: Conflict): void {
    const conflicts = this.#conflicts.get(collection) ?? new Map<string, ConflictCount>()
    this.#conflicts.set(collection, conflicts)
    const known = conflicts.get(fields.join()) ?? { fields, count: 0, examples: [] }
    conflicts.set(fields.join(), known)
    known.count += 1
    keepFirst(known.examples, { originId, existingId }, exampleCount, (example) => example.originId)
  }

  otherForm(collection: string): void {
    this.otherForms.add(collection)
  }

  adopt(key: AdoptedKey, count = 1): void {
    this.#adopted[key] += count
  }

  change(deviceId: ObjectId, { target, collection, ended }: SwitchChange): void {
    const key = shownId(target._id)
    const name = target.name ?? key
    const sum = this.#switches.get(key) ?? { deviceId, name, collection, entries: 0, energyMws: 0 }
    this.#switches.set(key, sum)
    sum.entries += 1
    sum.energyMws += ended?.energyMws ?? 0
  }

  compare(day: ComparedDay, isSame: boolean): void {
    const found = this.#days.get(day.originCollection) ?? { compared: 0, differing: 0, examples: [] }
    this.#days.set(day.originCollection, found)
    found.compared += 1
    if (isSame) return
    found.differing += 1
    keepFirst(found.examples, day, dayExamples, ({ period, subjectId }) => `${period} ${subjectId.toHexString()}`)
  }

  get adopted(): Readonly<Record<AdoptedKey, number>> {
    return this.#adopted
  }

  get days(): DayComparison[] {
    const days = [...this.#days].map(([collection, found]) => ({ collection, ...found }))
    return days.toSorted((a, b) => (a.collection < b.collection ? -1 : 1))
  }

  get switches(): SwitchAdoption[] {
    return [...this.#switches].map(([id, { energyMws, ...sum }]) => {
      const ledger = this.ledgerEnergyWs.get(id)
      return {
        ...sum,
        switchId: new ObjectId(id),
        energyWs: energyMws / 1000,
        ...(ledger === undefined ? {} : { ledgerEnergyWs: ledger }),
      }
    })
  }

  reasonsOf(collection: string): Pick<CollectionAdoption, 'left' | 'noted' | 'reasons' | 'conflicts'> {
    const { left, noted } = this.#findings.get(collection) ?? { left: 0, noted: 0 }
    const reasons = [...(this.#reasons.get(collection) ?? [])].map(([reason, found]) => ({ reason, ...found }))
    return {
      left,
      noted,
      reasons: reasons.toSorted((a, b) => b.count - a.count || (a.reason < b.reason ? -1 : 1)),
      conflicts: [...(this.#conflicts.get(collection)?.values() ?? [])],
    }
  }
}

/** Keeps the first ones in the order of their keys, in whatever order they come. */
function keepFirst<Item>(kept: Item[], item: Item, count: number, keyOf: (item: Item) => string): void {
  const key = keyOf(item)
  const at = kept.findIndex((other) => keyOf(other) > key)
  kept.splice(at < 0 ? kept.length : at, 0, item)
  if (kept.length > count) kept.pop()
}
