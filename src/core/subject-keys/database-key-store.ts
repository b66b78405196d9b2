import type { Collection, MongoClient } from 'mongodb'
import { translateError } from '../translate-error.js'
import type { SubjectKeyStore } from './subject-key-store.js'

/** The collection of the keys; no backup takes it, whatever database it is in. */
export const subjectKeyCollection = 'subject_keys'

/** The database beside one, for the keys of its persons. */
export function keyDatabaseOf(dbName: string): string {
  return `${dbName}_keys`
}

interface KeptKey {
  readonly _id: string
  readonly key?: string
  readonly createdAt?: Date
  readonly destroyedAt?: Date
}

const durable = { writeConcern: { w: 'majority', j: true } } as const

/** Keeps keys in a database of their own, on the server of the handle. */
export class DatabaseKeyStore implements SubjectKeyStore {
  readonly #client: () => MongoClient
  readonly #dbName: string

  constructor(client: () => MongoClient, dbName: string) {
    this.#client = client
    this.#dbName = dbName
  }

  async read(subjects: readonly string[]): Promise<ReadonlyMap<string, string | null>> {
    const found = await translated(() =>
      this.#keys.find({ _id: { $in: [...subjects] } }, { readPreference: 'primary' }).toArray(),
    )
    return new Map(found.map(({ _id, key }) => [_id, key ?? null]))
  }

  async write(subject: string, key: string, before?: string): Promise<string | null> {
    await translated(() =>
      before === undefined
        ? this.#keys.updateOne(
            { _id: subject },
            { $setOnInsert: { key, createdAt: new Date() } },
            { ...durable, upsert: true },
          )
        : this.#keys.updateOne({ _id: subject, key: before }, { $set: { key } }, durable),
    )
    return (await this.read([subject])).get(subject) ?? null
  }

  async destroy(subject: string): Promise<void> {
    const change = { $set: { destroyedAt: new Date() }, $unset: { key: '' as const } }
    await translated(() => this.#keys.updateOne({ _id: subject }, change, { ...durable, upsert: true }))
  }

  get #keys(): Collection<KeptKey> {
    return this.#client().db(this.#dbName).collection<KeptKey>(subjectKeyCollection)
  }
}

async function translated<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (error) {
    throw translateError(error)
  }
}
