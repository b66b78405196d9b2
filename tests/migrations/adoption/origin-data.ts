import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { BSON, type Db, type Document } from 'mongodb'
import { runPython } from '../../support/python.js'

/** Invented documents in the shapes that the origin systems write: see README there. */
const folder = fileURLToPath(new URL('../../../../shared/data/legacy/', import.meta.url))

export interface ExpectedSwitchDay {
  readonly source: string
  readonly device: string
  readonly switch: string
  readonly switch_id: string
  readonly day: string
  readonly mws: number
  readonly inr: number
}

interface ExpectedDeviceDay {
  readonly source: string
  readonly device: string
  readonly day: string
  readonly wh: number
}

interface ExpectedTotals {
  readonly per_device: readonly ExpectedDeviceDay[]
  readonly per_switch: readonly ExpectedSwitchDay[]
  readonly problems: readonly { readonly file: string; readonly _id: string; readonly why: string }[]
  readonly presses: number
  readonly copies: number
}

/** What an independent program makes of the same documents. */
export const expectedTotals: ExpectedTotals = JSON.parse(readFileSync(`${folder}expected_totals.json`, 'utf8'))

/** The documents of a system, by collection. */
export function originDocuments(system: 'autovolt' | 'maestro' | 'jupiter'): ReadonlyMap<string, Document[]> {
  const found = new Map<string, Document[]>()
  for (const file of readdirSync(`${folder}fixtures`)) {
    const [, prefix = 'autovolt', name = ''] = /^(?:(maestro|jupiter)\.)?(\w+)/.exec(file) ?? []
    if (prefix !== system) continue
    const lines = readFileSync(`${folder}fixtures/${file}`, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
    const documents = lines.map((line) => BSON.EJSON.parse(line, { relaxed: false }) as Document)
    found.set(name, [...(found.get(name) ?? []), ...documents])
  }
  return found
}

export async function loadOrigin(db: Db, system: 'autovolt' | 'maestro' | 'jupiter'): Promise<void> {
  for (const [name, documents] of originDocuments(system)) await db.collection(name).insertMany(documents)
}

/** SolChain's SQLite database, table by table. */
export async function loadSolchain(db: Db): Promise<void> {
  const { output } = await runPython('migrations/adoption/export-sqlite.py', [`${folder}solchain.db`])
  const tables: Record<string, Document[]> = JSON.parse(output)
  for (const [name, rows] of Object.entries(tables)) await db.collection(name).insertMany(rows)
}
