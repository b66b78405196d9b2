import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import manifest from '../package.json' with { type: 'json' }

interface Bom {
  readonly bomFormat: string
  readonly metadata: { readonly component: { readonly name: string; readonly version: string } }
  readonly components: readonly {
    readonly name: string
    readonly version: string
    readonly purl: string
    readonly hashes: readonly { readonly alg: string; readonly content: string }[]
  }[]
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn: readonly string[] }[]
}

it('the list of components has what the package brings, with digests, and nothing else', async () => {
  const root = new URL('../', import.meta.url)
  const { stdout } = await promisify(execFile)(process.execPath, ['scripts/sbom.mjs'], { cwd: root })
  const bom = JSON.parse(stdout) as Bom
  expect(bom).toMatchObject({
    bomFormat: 'CycloneDX',
    metadata: { component: { name: manifest.name, version: manifest.version } },
  })
  // None of them has dependencies of its own: docs/security.md says so.
  expect(bom.components.map(({ name }) => name).toSorted()).toEqual(Object.keys(manifest.dependencies).toSorted())
  for (const { name, version, purl, hashes } of bom.components) {
    expect(purl).toBe(`pkg:npm/${name.replace('@', '%40')}@${version}`)
    expect(hashes).toMatchObject([{ alg: 'SHA-512' }])
  }
  const refs = bom.components.map(({ name, version }) => `${name}@${version}`)
  expect(bom.dependencies[0]?.dependsOn.toSorted()).toEqual(refs.toSorted())
})
