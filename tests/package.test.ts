import { describe, expect, it } from 'vitest'
import manifest from '../package.json' with { type: 'json' }
import lock from '../package-lock.json' with { type: 'json' }

describe('what is installed', () => {
  it('is compared with the lock file, every package of it', () => {
    const packages = Object.entries(lock.packages as Record<string, { readonly integrity?: string }>)
    const unsealed = packages.filter(([place, { integrity }]) => place !== '' && integrity === undefined)
    expect(unsealed.map(([place]) => place)).toEqual([])
  })
})

describe('what is packed', () => {
  it('is built before', () => {
    expect(manifest.scripts.prepack).toContain('scripts/built.mjs')
  })
})
