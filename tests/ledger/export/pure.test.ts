import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

/** What a module imports when it runs: what is imported as a type alone is gone by then. */
function importsOf(path: URL): string[] {
  const source = readFileSync(path, 'utf8')
  const statements = source.matchAll(/^(?:import|export) (?!type )([^'"]*?from )?'([^']+)'/gm)
  return [...statements].map(([, , name = '']) => name)
}

function everythingBehind(entry: URL): Set<string> {
  const found = new Set<string>()
  const open = [entry]
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (found.has(path.href)) continue
    found.add(path.href)
    for (const name of importsOf(path)) {
      if (name.startsWith('.')) open.push(new URL(name.replace(/\.js$/, '.ts'), path))
      else found.add(name)
    }
  }
  return found
}

describe('@autovolt/data/ledger', () => {
  it('needs nothing but Node: no database, no network, none of what the rest depends on', () => {
    const behind = [...everythingBehind(new URL('../../../src/ledger/offline.ts', import.meta.url))]
    expect(behind.filter((name) => !name.startsWith('file:')).sort()).toEqual([
      'node:buffer',
      'node:crypto',
      'node:util',
    ])
    expect(behind.filter((name) => name.startsWith('file:') && !name.includes('/src/ledger/'))).toEqual([])
  })
})
