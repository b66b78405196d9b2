import { Binary, type Document, ObjectId } from 'mongodb'
import type { AutoVolt } from '../../../../src/autovolt.js'
import { rawDocuments } from '../../../../src/core/raw-documents.js'
import type { OpenOptions } from '../../../../src/handle-options.js'
import type { VerificationReport } from '../../../../src/ledger/audit/finding.js'
import type { LedgerEntry } from '../../../../src/ledger/entry/entry.js'
import { generateLogKeys } from '../../../../src/ledger/log/signed-note.js'
import type { TestDatabase } from '../../../support/database.js'
import { openVolt } from '../../../support/volt.js'
import { withHash } from '../../support/chains.js'
import { anEvent, aSwitchInLedger, at, type OwnFields, readings } from '../../support/events.js'
import { toStoredEntry } from '../../support/stored-entry.js'

export const keys = generateLogKeys('school.example/energy')
const foreignKeys = generateLogKeys('school.example/energy')

/** The collections of a ledger. */
const names = {
  entries: 'power_consumption_ledger',
  checkpoints: 'ledger_checkpoints',
  tiles: 'ledger_tiles',
  segments: 'ledger_segments',
  personal: 'ledger_personal_data',
} as const
type Name = keyof typeof names

/** A ledger with whatever an entry can have, and somebody who can do everything to its database. */
export class Site {
  /** Entries 1 to 3 are in the first checkpoint, 4 and 5 in the second, 6 and 7 in none. */
  readonly first: OwnFields = aSwitchInLedger()
  /** Entries 1 and 2 are in the first checkpoint, 3 in the second, 4 in none. */
  readonly second: OwnFields = aSwitchInLedger()
  volt!: AutoVolt
  readonly #database: TestDatabase
  readonly #options: Omit<OpenOptions, 'uri'>
  #stored: Record<Name, Document[]> = { entries: [], checkpoints: [], tiles: [], segments: [], personal: [] }
  #bytes: Record<Name, string> = { entries: '', checkpoints: '', tiles: '', segments: '', personal: '' }

  constructor(database: TestDatabase, options: Omit<OpenOptions, 'uri'>) {
    this.#database = database
    this.#options = { ledgerLog: { signerKeys: [keys.signerKey] }, ...options }
  }

  static async build(database: TestDatabase, options: Omit<OpenOptions, 'uri'> = {}): Promise<Site> {
    const site = new Site(database, options)
    site.volt = await openVolt(database, site.#options)
    await site.volt.setup()
    const [one, two, three, four, five, six, seven] = richEvents(site.first)
    const [a, b, c, d] = readings(4, site.second)
    const { ledger } = site.volt
    await ledger.append([one, two, three, a, b] as never)
    await ledger.checkpoint()
    await ledger.append([four, five, c] as never)
    await ledger.checkpoint()
    await ledger.append([six, seven, d] as never)
    await site.keep()
    return site
  }

  collection(name: Name) {
    return this.#database.db.collection(names[name], { ignoreUndefined: true })
  }

  /** Whoever tampers sees every number with its type. */
  #typed(name: Name) {
    return this.#database.db.collection(names[name], { promoteValues: false, promoteLongs: false })
  }

  /** What {@link restore} goes back to from now on. */
  async keep(): Promise<void> {
    for (const name of Object.keys(names) as Name[]) {
      this.#stored[name] = await this.documents(name)
      this.#bytes[name] = await this.#bytesOf(name)
    }
  }

  async restore(): Promise<void> {
    await Promise.all(
      (Object.keys(names) as Name[]).map(async (name) => {
        // Most tests change one collection, and reading is cheaper than writing.
        if ((await this.#bytesOf(name)) !== this.#bytes[name]) await this.fill(name, this.#stored[name])
      }),
    )
  }

  /** Every byte of the collection, in its physical order. */
  async #bytesOf(name: Name): Promise<string> {
    const documents = await rawDocuments(this.#database.db.collection(names[name]).find({}, { raw: true }))
    return Buffer.concat(documents).toString('latin1')
  }

  documents(name: Name): Promise<Document[]> {
    return this.#typed(name).find().toArray()
  }

  /** Puts these documents in place of those that are there, in this physical order. */
  async fill(name: Name, documents: readonly Document[]): Promise<void> {
    await this.collection(name).deleteMany({})
    if (documents.length > 0)
      await this.collection(name).insertMany([...documents], { bypassDocumentValidation: true, ordered: true })
  }

  async edit(name: Name, filter: Document, update: Document | Document[]): Promise<void> {
    const { matchedCount } = await this.collection(name).updateOne(filter, update, { bypassDocumentValidation: true })
    if (matchedCount !== 1) throw new Error('There was nothing to tamper with')
  }

  async remove(name: Name, filter: Document): Promise<void> {
    const { deletedCount } = await this.collection(name).deleteMany(filter)
    if (deletedCount === 0) throw new Error('There was nothing to remove')
  }

  insert(name: Name, document: Document): Promise<unknown> {
    return this.collection(name).insertOne(document, { bypassDocumentValidation: true })
  }

  /** Takes the unique indexes of the entries away; {@link protect} brings them back. */
  async unprotect(): Promise<void> {
    await this.collection('entries').dropIndexes()
  }

  async protect(): Promise<void> {
    await this.volt.setup()
  }

  /** An entry as it is stored. */
  async entry(own: OwnFields, sequence: number): Promise<Document> {
    const found = await this.#typed('entries').findOne({ switchId: own.switchId, sequence })
    if (found === null) throw new Error(`There is no entry ${sequence}`)
    return found
  }

  /** An entry as the library reads it. */
  async plain(own: OwnFields, sequence: number): Promise<LedgerEntry> {
    const found = await this.#database.db
      .collection<LedgerEntry>(names.entries)
      .findOne({ switchId: own.switchId, sequence })
    if (found === null) throw new Error(`There is no entry ${sequence}`)
    return found as LedgerEntry
  }

  async chain(own: OwnFields): Promise<LedgerEntry[]> {
    const entries = this.#database.db.collection<LedgerEntry>(names.entries)
    return (await entries.find({ switchId: own.switchId }).sort({ sequence: 1 }).toArray()) as LedgerEntry[]
  }

  verify(options: Parameters<AutoVolt['ledger']['verify']>[0] = {}): Promise<VerificationReport> {
    return this.volt.ledger.verify(options)
  }

  /** Makes a checkpoint in a process of its own: one that has signed more than there is after {@link restore} signs no more. */
  async checkpoint() {
    const { ledger } = await openVolt(this.#database, this.#options)
    return ledger.checkpoint()
  }

  /** The signed notes of the checkpoints, the oldest first. */
  async notes(): Promise<string[]> {
    const stored = await this.collection('checkpoints').find().sort({ size: 1 }).toArray()
    return stored.map(({ note }) => String(note))
  }

  /** Makes a checkpoint of whatever is there, as somebody would who has another key of the same name. */
  async checkpointWithForeignKey(): Promise<void> {
    const forger = await openVolt(this.#database, {
      ledgerLog: { signerKeys: [foreignKeys.signerKey], verifierKeys: [keys.verifierKey] },
    })
    await forger.ledger.checkpoint()
  }
}

/** The entry with other fields and a hash that fits; with an id of its own. */
export function forged(entry: LedgerEntry, fields: Partial<LedgerEntry>): Document {
  return toStoredEntry(withHash({ ...entry, _id: new ObjectId(), ...fields }))
}

/** The chain from a place on with other fields in that place, and every later hash made to fit. */
export function rewrittenFrom(chain: readonly LedgerEntry[], sequence: number, fields: Partial<LedgerEntry>) {
  let previousHash = new Binary(Buffer.alloc(32))
  return chain.map((entry) => {
    if (entry.sequence < sequence) return toStoredEntry(entry)
    const changed = entry.sequence === sequence ? { ...entry, ...fields } : { ...entry, previousHash }
    const rewritten = withHash(changed)
    previousHash = rewritten.hash
    return toStoredEntry(rewritten)
  })
}

/** Seven events that together have every field there is. */
function richEvents(own: OwnFields) {
  const reading = {
    powerW: 100.5,
    energyWh: 5000,
    counterQuantumWh: 0.5,
    counterWidthWh: 1e6,
    maximumPower: 2500,
  }
  const metadata = {
    source: 'mqtt',
    firmwareVersion: '2.4.1',
    voltage: 231.5,
    current: 0.43,
    powerFactor: 0.97,
    temperature: 31.25,
    bootId: 'boot-7',
    deviceSequence: 12,
    originalRecordId: 'row 1',
  } as const
  return [1, 2, 3, 4, 5, 6, 7].map((minute) => ({
    ...anEvent({
      ...own,
      timestamp: at(60 * minute),
      silentSince: at(60 * minute - 3600),
      idempotencyKey: `rich ${minute}`,
      eventType: minute === 4 ? 'manual_adjustment' : 'power_reading',
      reading,
      ...(minute === 4 ? { adjustment: { energyWs: 60, productionWs: 1.5, cost: 0.25 } } : {}),
      flags: ['estimated', 'reboot'],
      metadata: { ...metadata, deviceSequence: minute },
    }),
    ...(minute === 2 || minute === 5 ? { notes: `seen by Asha at minute ${minute}` } : {}),
    ...(minute === 5 ? { personal: { teacher: 'Asha Rao' } } : {}),
  }))
}
