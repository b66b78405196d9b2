// Prints what the package brings with it, for people and for scanners, in the form of CycloneDX: `npm run build` puts it into dist.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)
const manifest = JSON.parse(readFileSync(new URL('package.json', root), 'utf8'))
const bom = wholeTree()
const component = { ...bom.metadata.component, name: manifest.name }
const edges = new Map(bom.dependencies.map(({ ref, dependsOn }) => [ref, dependsOn]))
const brought = new Set()
// `npm sbom --omit dev` leaves out what a tool of the repository depends on as well.
for (const ref of edges.get(component['bom-ref'])) if (isDependency(ref)) add(ref)

const dependencies = [
  { ref: component['bom-ref'], dependsOn: edges.get(component['bom-ref']).filter(isDependency) },
  ...[...brought].map((ref) => ({ ref, dependsOn: edges.get(ref) ?? [] })),
]
const components = bom.components.filter((one) => brought.has(one['bom-ref']))
process.stdout.write(
  `${JSON.stringify({ ...bom, metadata: { ...bom.metadata, component }, components, dependencies }, null, 2)}\n`,
)

/** Everything in the lock file, by npm. */
function wholeTree() {
  const options = ['--sbom-format', 'cyclonedx', '--sbom-type', 'library', '--package-lock-only']
  const { status, stdout, stderr } = spawnSync('npm', ['sbom', ...options], {
    cwd: fileURLToPath(root),
    encoding: 'utf8',
    maxBuffer: 64 * 2 ** 20,
  })
  if (status !== 0) throw new Error(`npm sbom ended with ${status}:\n${stderr}`)
  return JSON.parse(stdout)
}

/** A reference is the name and the version. */
function isDependency(ref) {
  return Object.hasOwn(manifest.dependencies, ref.slice(0, ref.lastIndexOf('@')))
}

function add(ref) {
  if (brought.has(ref)) return
  brought.add(ref)
  for (const next of edges.get(ref) ?? []) add(next)
}
