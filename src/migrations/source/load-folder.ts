import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { DatabaseError } from '../../core/errors.js'
import { isRecord } from '../../core/is-record.js'

/** Loaded module: what a module exports, and the file that it is. */
export interface LoadedModule {
  /** The name of the file without its extension. */
  readonly name: string
  readonly file: string
  readonly exported: Exports
}

type Exports = Readonly<Record<string, unknown>>

const moduleFile = /^(?<name>[^.].*?)\.(?<extension>[cm]?[jt]s)$/
/** Declarations and tests stand beside the modules. */
const otherFile = /\.(d|test|spec)\.[cm]?ts$|\.(test|spec)\.[cm]?js$/

/**
 * Imports the modules of a folder, one after the other; folders in it are not looked at.
 * @param names What a module may export by name, unless it has a default export that is an object.
 * @throws DatabaseError `CONFIGURATION` if the folder or a file cannot be read, or two files have one name.
 */
export async function loadFolder(folder: string | URL, names: readonly string[]): Promise<LoadedModule[]> {
  const path = folder instanceof URL ? fileURLToPath(folder) : folder
  const files = await moduleFiles(path)
  const modules: LoadedModule[] = []
  for (const [name, file] of files) {
    const exported = exportsOf(await load(join(path, file), file), names)
    modules.push({ name, file, exported })
  }
  return modules
}

async function moduleFiles(path: string): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  for (const file of (await list(path)).toSorted()) {
    const name = otherFile.test(file) ? undefined : moduleFile.exec(file)?.groups?.name
    if (name === undefined) continue
    const other = found.get(name)
    if (other !== undefined)
      throw new DatabaseError('CONFIGURATION', `${other} and ${file} have one name; build into a folder of its own`)
    found.set(name, file)
  }
  return found
}

async function list(path: string): Promise<string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    throw new DatabaseError(
      'CONFIGURATION',
      `The folder ${path} cannot be read: ${reasonOf(error)}. Next: name the one that the files are in, a relative path from the working directory`,
    )
  }
}

async function load(path: string, file: string): Promise<Exports> {
  try {
    return (await import(pathToFileURL(path).href)) as Exports
  } catch (error) {
    const isTypeScript = /ts$/.test(file) && isRecord(error) && error.code === 'ERR_UNKNOWN_FILE_EXTENSION'
    const hint = isTypeScript
      ? 'run TypeScript with a loader (node --import tsx), or build it'
      : `${reasonOf(error)}. Next: correct the file, or move what is no migration out of the folder`
    throw new DatabaseError('CONFIGURATION', `${file} cannot be loaded: ${hint}`, { cause: error })
  }
}

/**
 * The default export if it is an object, whole, so that a mistake in it shows; else what is exported by name. What TypeScript
 * builds to CommonJS has its exports inside the default one of Node, and loaders see to that in different ways.
 */
function exportsOf(module: Exports, names: readonly string[]): Exports {
  const { default: inner } = module
  const innermost = isRecord(inner) ? inner.default : undefined
  const found = [innermost, inner, module].find((one) => isRecord(one) && names.some((name) => name in one))
  const isDeclared = isRecord(inner) && !isBuilt(module) && !isBuilt(inner)
  if (isDeclared && (found === inner || found === undefined)) return inner
  const exported = (found ?? module) as Exports
  return Object.fromEntries(names.filter((name) => name in exported).map((name) => [name, exported[name]]))
}

function isBuilt(module: Exports): boolean {
  return '__esModule' in module && module.__esModule === true
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
