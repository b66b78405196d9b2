import { Binary, type Document, type Filter, Long } from 'mongodb'
import { DatabaseError } from '../../../core/errors.js'
import { isRecord } from '../../../core/is-record.js'
import type { OriginSystem } from '../mapping/mapping.js'
import type { OriginSource } from '../origin.js'
import { openSqliteFile, type SqliteFile, type SqliteRow, type SqliteValue } from './sqlite-file.js'

const pageSize = 500
/** A document has 16 MiB at most, and a row may have several such texts. */
const longestText = 1_000_000
const shownOfLongText = 1_000
const rowKey = ' row'

/** The tables of a file of SQLite, as collections. It is read only, page by page: between two pages others may write to it. */
export class SqliteOrigin implements OriginSource {
  readonly name: string
  readonly path: string
  readonly #file: SqliteFile
  readonly #columns = new Map<string, ReadonlySet<string>>()

  /** @throws as {@link openSqliteFile}. */
  static async open(path: string, name: string): Promise<SqliteOrigin> {
    return new SqliteOrigin(path, name, await openSqliteFile(path))
  }

  private constructor(path: string, name: string, file: SqliteFile) {
    this.path = path
    this.name = name
    this.#file = file
    const tables = file.all(
      "select name from sqlite_master where type = 'table' and name not like 'sqlite\\_%' escape '\\'",
    )
    for (const { name: table } of tables) {
      const columns = file.all('select name from pragma_table_info(?)', [String(table)])
      this.#columns.set(String(table), new Set(columns.map((column) => String(column.name))))
    }
  }

  async counts(): Promise<ReadonlyMap<string, number>> {
    const names = [...this.#columns.keys()].toSorted()
    return new Map(
      names.map((name) => {
        const [counted] = this.#file.all(`select count(*) as documents from ${quoted(name)}`)
        return [name, Number(counted?.documents)] as const
      }),
    )
  }

  async system(): Promise<OriginSystem | undefined> {
    return this.#columns.get('iot_devices')?.has('device_id') ? 'solchain' : undefined
  }

  /** The rows that match, in the order of their row ids: a value, `$in` and `$nin` can be asked for. */
  async *stream(table: string, filter: Filter<Document>): AsyncGenerator<Document, void, undefined> {
    const columns = this.#columns.get(table)
    if (columns === undefined) return
    const asked = Object.entries(filter).map(([column, value]) => {
      if (columns.has(column)) return conditionOf(column, value)
      throw new DatabaseError(
        'CONFIGURATION',
        `The table ${table} of ${this.path} has no column ${column}. Next: give a mapping that says where it is`,
      )
    })
    for (let after: SqliteValue | undefined; ; ) {
      const onward = after === undefined ? [] : [{ sql: 't.rowid > ?', value: after }]
      const conditions = [...asked, ...onward]
      const where = conditions.length === 0 ? '' : `where ${conditions.map(({ sql }) => sql).join(' and ')}`
      const page: readonly SqliteRow[] = this.#file.all(
        `select t.rowid as "${rowKey}", t.* from ${quoted(table)} as t ${where} order by t.rowid limit ${pageSize}`,
        conditions.map(({ value }) => value),
      )
      for (const { [rowKey]: row, ...values } of page) yield documentOf(values)
      after = page.at(-1)?.[rowKey]
      if (page.length < pageSize || after === undefined) return
    }
  }

  close(): void {
    this.#file.close()
  }
}

interface Condition {
  readonly sql: string
  readonly value: SqliteValue
}

/** Quoted and with its table, for SQLite takes an unknown name in quotes for a text. */
function conditionOf(column: string, value: unknown): Condition {
  const named = `t.${quoted(column)}`
  const list = (values: unknown) => JSON.stringify(values)
  const among = '(select value from json_each(?))'
  if (isRecord(value) && Array.isArray(value.$in)) return { sql: `${named} in ${among}`, value: list(value.$in) }
  if (isRecord(value) && Array.isArray(value.$nin))
    return { sql: `(${named} is null or ${named} not in ${among})`, value: list(value.$nin.filter(isComparable)) }
  return { sql: `${named} is ?`, value: isComparable(value) ? value : null }
}

function isComparable(value: unknown): value is string | number {
  return typeof value === 'string' || typeof value === 'number'
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function documentOf(row: SqliteRow): Document {
  return Object.fromEntries(Object.entries(row).map(([column, value]) => [column, storableOf(value)]))
}

/** As MongoDB has it. */
function storableOf(value: SqliteValue): unknown {
  if (typeof value === 'bigint') return Long.fromBigInt(value)
  const isLong = value !== null && typeof value !== 'number' && value.length > longestText
  if (typeof value === 'string')
    return isLong ? `${value.slice(0, shownOfLongText)} … (${value.length} characters)` : value
  if (!(value instanceof Uint8Array)) return value
  return isLong ? `(${value.length} bytes)` : new Binary(value)
}
