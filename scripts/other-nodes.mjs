// The other versions of Node that the package is tested on, out of npm packages that hold their binaries.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const cache = fileURLToPath(new URL('../.cache/nodes/', import.meta.url))
const versions = [22, 24, 26]

/** Their binaries, installed as far as they are not there. Only this version where there are none for this platform. */
export function otherNodes() {
  if (process.platform !== 'linux') return []
  const own = Number(process.versions.node.split('.')[0])
  return versions.filter((version) => version !== own).map(install)
}

function install(version) {
  const folder = join(cache, String(version))
  const name = `node-linux-${process.arch}`
  const binary = join(folder, 'node_modules', name, 'bin/node')
  if (existsSync(binary)) return { version, binary }
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const options = ['install', '--no-audit', '--no-fund', '--no-save', '--silent', `${name}@${version}`]
  const { status, stderr } = spawnSync('npm', options, { cwd: folder, encoding: 'utf8' })
  if (status !== 0) throw new Error(`Node ${version} could not be installed:\n${stderr}`)
  return { version, binary }
}
