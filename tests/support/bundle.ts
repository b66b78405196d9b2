import { randomUUID } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type BuildOptions, build, buildSync } from 'esbuild'

const root = fileURLToPath(new URL('../../', import.meta.url))
/** Of the sources these are run or imported by processes of tests. */
const entries = ['cli/autovolt', 'index', 'ledger/offline', 'mqtt/index', 'testing/index']

/** Writes the programs of the files to a folder inside the project; what they share is in files of its own. */
export function bundle(files: readonly string[], folder: string): void {
  buildSync(optionsOf(files, folder))
}

/** All that tests start as processes, in one go: in it each takes a tenth of what it takes alone. @returns their folder. */
export async function bundlePrograms(): Promise<string> {
  const folder = join(root, '.cache/programs', randomUUID().slice(0, 8))
  const files = [...entries.map((entry) => join(root, `src/${entry}.ts`)), ...(await programsOfTests())]
  await build({ ...optionsOf(files, folder), outbase: root })
  return folder
}

/** Where the program of a file is, in the folder of all of them. */
export function programIn(folder: string, file: string): string {
  return join(folder, relative(root, file).replace(/ts$/, 'js'))
}

/** Those that talk with their test, and those that are named as its children. */
async function programsOfTests(): Promise<string[]> {
  const folder = join(root, 'tests')
  const names = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts'))
  const isProgram = await Promise.all(
    names.map(
      async (name) =>
        name.endsWith('-child.ts') || (await readFile(join(folder, name), 'utf8')).includes("/parent.js'"),
    ),
  )
  return names.filter((_, at) => isProgram[at]).map((name) => join(folder, name))
}

function optionsOf(files: readonly string[], folder: string): BuildOptions {
  return {
    absWorkingDir: root,
    entryPoints: [...files],
    outdir: folder,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    alias: {
      '@autovolt/data': './src/index.ts',
      '@autovolt/data/analytics': './src/energy/analytics/index.ts',
      '@autovolt/data/backup': './src/backup/index.ts',
      '@autovolt/data/ledger': './src/ledger/offline.ts',
      '@autovolt/data/migrations': './src/migrations/index.ts',
      '@autovolt/data/mqtt': './src/mqtt/index.ts',
      '@autovolt/data/opentelemetry': './src/opentelemetry/index.ts',
      '@autovolt/data/prometheus': './src/prometheus/index.ts',
      '@autovolt/data/testing': './src/testing/index.ts',
    },
    keepNames: true,
    sourcemap: true,
    // Each process reads the map; the sources are beside it.
    sourcesContent: false,
    logLevel: 'silent',
  }
}
