import { randomUUID } from 'node:crypto'
import { rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { buildSync } from 'esbuild'

const root = fileURLToPath(new URL('../../', import.meta.url))
const known = new Map<string, URL>()

/**
 * The program of a TypeScript file as JavaScript in one file (packages are left outside): a process that runs it is there in a
 * fraction of the time, and of the work, that it takes to translate module by module. It goes with this process.
 */
export function bundled(file: URL): URL {
  const found = known.get(file.href)
  if (found !== undefined) return found
  const folder = join(root, '.cache/programs', randomUUID().slice(0, 8))
  bundle([fileURLToPath(file)], folder)
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const program = pathToFileURL(join(folder, basename(fileURLToPath(file)).replace(/ts$/, 'js')))
  known.set(file.href, program)
  return program
}

/** Writes the programs of the files to a folder inside the project; what they share is in files of its own. */
export function bundle(files: readonly string[], folder: string): void {
  buildSync({
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
    logLevel: 'silent',
  })
}
