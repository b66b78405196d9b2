import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { BSON, type Document } from 'mongodb'

const folder = new URL('../../../shared/data/legacy/fixtures/', import.meta.url)

/** Whether the documents of hosts from before the library are here. */
export const hasLegacyDocuments = existsSync(folder)

/** The invented documents of a collection, in the form that a host has written. */
export function legacyDocuments(collection: string): Document[] {
  const lines = readFileSync(new URL(`${collection}.jsonl`, folder), 'utf8')
    .split('\n')
    .filter(Boolean)
  return lines.map((line) => BSON.EJSON.parse(line, { relaxed: false }) as Document)
}

/** The names of the collections that there are documents of. */
export function legacyCollections(): string[] {
  return readdirSync(folder).map((file) => file.replace(/\.jsonl$/, ''))
}
