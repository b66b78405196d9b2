// Builds the package unless what is in dist is newer than everything that it is built of: `npm run built`.
import { spawnSync } from 'node:child_process'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const ofBuild = ['package.json', 'package-lock.json', 'scripts/sbom.mjs', 'tsconfig.json', 'tsup.config.ts']

const changedMs = Math.max(...[...ofBuild, ...filesIn('src')].map((file) => statSync(join(root, file)).mtimeMs))
const builtMs = Math.min(...filesIn('dist').map((file) => statSync(join(root, file)).mtimeMs))
if (!(Number.isFinite(builtMs) && builtMs > changedMs)) {
  process.exitCode = spawnSync('npm', ['run', 'build'], { cwd: root, stdio: 'inherit' }).status ?? 1
}

function filesIn(folder) {
  try {
    const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    return entries
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(root.length))
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
}
