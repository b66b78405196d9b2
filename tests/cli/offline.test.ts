import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'

/**
 * Everything that a file imports, and what those files import: modules that are no files of ours. What one of our commands
 * imports of ours only when it is run is no matter of the others.
 */
async function packagesOf(file: URL, seen = new Map<string, string>()): Promise<Map<string, string>> {
  if (seen.has(file.href)) return seen
  seen.set(file.href, file.pathname)
  // Types are gone by then, whether the statement is about types alone or the name is.
  const text = (await readFile(file, 'utf8')).replaceAll(/^(import|export) type .*?from '.*?'$/gms, '')
  for (const [statement, first, later] of text.matchAll(/^(?:import|export) .*?from '(.*?)'$|\bimport\('(.*?)'\)/gms)) {
    const name = first ?? later ?? ''
    if (statement.startsWith('import(') && name.startsWith('.')) continue
    if (name.startsWith('.')) await packagesOf(new URL(name.replace(/\.js$/, '.ts'), file), seen)
    else seen.set(name, file.pathname)
  }
  return seen
}

describe('what an auditor runs', () => {
  it.each(['ledger/offline.ts', 'cli/autovolt.ts'])('%s imports nothing but Node itself', async (entry) => {
    const found = await packagesOf(new URL(`../../src/${entry}`, import.meta.url))
    const files = [...found.keys()].filter((name) => name.startsWith('file:'))
    expect(files.length).toBeGreaterThan(10)
    const packages = [...found.keys()].filter((name) => !name.startsWith('file:') && !name.startsWith('node:'))
    expect(packages).toEqual([])
  })

  it('is told apart from what needs a database', async () => {
    const found = await packagesOf(new URL('../../src/ledger/ledger.ts', import.meta.url))
    expect([...found.keys()]).toEqual(expect.arrayContaining(['mongodb', 'zod']))
  })
})
