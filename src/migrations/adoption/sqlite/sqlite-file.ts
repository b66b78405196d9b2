import { existsSync, statSync } from 'node:fs'
import { DatabaseError } from '../../../core/errors.js'

/** What SQLite gives for a column; whole numbers that JavaScript has no exact number for are bigints. */
export type SqliteValue = string | number | bigint | Uint8Array | null
export type SqliteRow = Readonly<Record<string, SqliteValue>>

/** A file of SQLite that is open for reading only. */
export interface SqliteFile {
  all(sql: string, values?: readonly SqliteValue[]): readonly SqliteRow[]
  close(): void
}

interface SqliteLibrary {
  readonly name: string
  /** @throws an error of the library's own. */
  readonly open: (path: string) => SqliteFile
}

/** ms; how long a writer is waited for. */
const busyMs = 5_000

/** In the order in which they are tried. Each reads from the file what it needs of it, and never all of it into memory. */
const libraries: Readonly<Record<string, () => Promise<SqliteLibrary>>> = {
  'better-sqlite3': async () => {
    const { default: Opened } = await imported<{ default: BetterSqlite }>('better-sqlite3')
    // Its native part is loaded with the first database, and may be missing.
    new Opened(':memory:').close()
    return {
      name: 'better-sqlite3',
      open: (path) => {
        const opened = new Opened(path, { readonly: true, fileMustExist: true, timeout: busyMs })
        return fileOf(opened, (sql) => opened.prepare(sql).safeIntegers(true))
      },
    }
  },
  'node:sqlite': async () => {
    const { DatabaseSync } = await imported<{ DatabaseSync: NodeSqlite }>('node:sqlite')
    return {
      name: 'node:sqlite',
      open: (path) => {
        const opened = new DatabaseSync(path, { readOnly: true, timeout: busyMs })
        return fileOf(opened, (sql) => {
          const statement = opened.prepare(sql)
          statement.setReadBigInts(true)
          return statement
        })
      },
    }
  },
  'node-sqlite3-wasm': async () => {
    const { default: wasm } = await imported<{ default: { Database: WasmSqlite } }>('node-sqlite3-wasm')
    return {
      name: 'node-sqlite3-wasm',
      open: (path) => {
        const opened = new wasm.Database(path, { readOnly: true, fileMustExist: true })
        const all = (sql: string, values: readonly SqliteValue[]) => opened.all(sql, values) as SqliteRow[]
        return { all: (sql, values = []) => all(sql, values).map(withNumbers), close: () => opened.close() }
      },
    }
  },
}

export type SqliteLibraryName = 'better-sqlite3' | 'node:sqlite' | 'node-sqlite3-wasm'
export const sqliteLibraries = Object.keys(libraries) as SqliteLibraryName[]

/**
 * Opens a file of SQLite for reading.
 * @param among The libraries to try.
 * @throws DatabaseError `NOT_FOUND` without the file, `CONFIGURATION` without a library that reads it, and for what is no such file, `BUSY`
 * while it is written.
 */
export async function openSqliteFile(
  path: string,
  among: readonly SqliteLibraryName[] = sqliteLibraries,
): Promise<SqliteFile> {
  if (!existsSync(path) || !statSync(path).isFile()) throw new DatabaseError('NOT_FOUND', `There is no file ${path}`)
  const library = await libraryAmong(among)
  try {
    const file = library.open(path)
    const all: SqliteFile['all'] = (sql, values) => {
      try {
        return file.all(sql, values)
      } catch (error) {
        throw readingError(path, library, error)
      }
    }
    // What is no database is found out by reading only.
    all('select count(*) from sqlite_master')
    return { all, close: () => file.close() }
  } catch (error) {
    throw error instanceof DatabaseError ? error : readingError(path, library, error)
  }
}

async function libraryAmong(among: readonly SqliteLibraryName[]): Promise<SqliteLibrary> {
  const causes: unknown[] = []
  for (const name of among) {
    try {
      const library = await libraries[name]?.()
      if (library !== undefined) return library
    } catch (cause) {
      causes.push(cause)
    }
  }
  throw new DatabaseError(
    'CONFIGURATION',
    'A file of SQLite needs a library that reads it. Next: npm install better-sqlite3, or node-sqlite3-wasm, which needs no compiler; or run it on Node 22.13 or later, which has one',
    { cause: new AggregateError(causes, `None of ${among.join(', ')} can be loaded`) },
  )
}

function readingError(path: string, { name }: SqliteLibrary, cause: unknown): DatabaseError {
  const reason = cause instanceof Error ? cause.message : String(cause)
  if (/\b(busy|locked)\b/i.test(reason)) {
    const message = `${path} is being written: ${reason}. Next: try again`
    return new DatabaseError('BUSY', message, { cause, retryable: true })
  }
  const isLogged = name === 'node-sqlite3-wasm' && existsSync(`${path}-wal`)
  const next = isLogged ? '. Next: npm install better-sqlite3: node-sqlite3-wasm reads no file in WAL mode' : ''
  return new DatabaseError('CONFIGURATION', `${path} cannot be read as a database of SQLite: ${reason}${next}`, {
    cause,
  })
}

/** Of packages that need not be there. */
async function imported<Library>(name: string): Promise<Library> {
  return (await import(/* @vite-ignore */ name)) as Library
}

interface Statement {
  all(...values: readonly SqliteValue[]): unknown[]
}

function fileOf(opened: { close(): unknown }, prepare: (sql: string) => Statement): SqliteFile {
  return {
    all: (sql, values = []) => (prepare(sql).all(...values) as SqliteRow[]).map(withNumbers),
    close: () => {
      opened.close()
    },
  }
}

/** Whole numbers as numbers, where these are exact. */
function withNumbers(row: SqliteRow): SqliteRow {
  const entries = Object.entries(row).map(([name, value]) => {
    const number = typeof value === 'bigint' ? Number(value) : value
    return [name, typeof number === 'number' && !isExact(number, value) ? value : number] as const
  })
  return Object.fromEntries(entries)
}

function isExact(number: number, value: SqliteValue | undefined): boolean {
  return typeof value !== 'bigint' || Number.isSafeInteger(number)
}

/** What is used of better-sqlite3, which brings no types. */
type BetterSqlite = new (
  path: string,
  options?: { readonly readonly: boolean; readonly fileMustExist: boolean; readonly timeout: number },
) => { prepare(sql: string): { safeIntegers(on: boolean): Statement }; close(): unknown }

/** What is used of `node:sqlite`, which the types of Node 20 do not have. */
type NodeSqlite = new (
  path: string,
  options: { readonly readOnly: boolean; readonly timeout: number },
) => { prepare(sql: string): Statement & { setReadBigInts(on: boolean): void }; close(): unknown }

/** What is used of node-sqlite3-wasm, whose types name no default export. */
type WasmSqlite = new (
  path: string,
  options: { readonly readOnly: boolean; readonly fileMustExist: boolean },
) => { all(sql: string, values: readonly SqliteValue[]): unknown[]; close(): void }
