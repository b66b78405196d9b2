// Packs the package, installs the tarball with its peers into temporary copies of tests/consumers, and there
// type-checks and runs what is in them: `npm run consumers`, or `npm run consumers -- NAME` for one of them.
import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { otherNodes } from './other-nodes.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const source = join(root, 'tests/consumers')
const names = process.argv.length > 2 ? process.argv.slice(2) : readdirSync(source)
const nodes = [{ version: process.version, binary: process.execPath }, ...otherNodes()]
const workplace = mkdtempSync(join(tmpdir(), 'autovolt-consumers-'))

try {
  const tarball = pack()
  for (const name of names) tryOut(name, tarball)
  say(`Installed, compiled and ran on Node ${nodes.map(({ version }) => version).join(', ')}: ${names.join(', ')}`)
} catch (error) {
  process.stderr.write(`${error.message}\n`)
  process.exitCode = 1
} finally {
  rmSync(workplace, { recursive: true, force: true })
}

function pack() {
  const packed = run('npm', ['pack', '--json', '--silent', '--pack-destination', workplace], root)
  return join(workplace, JSON.parse(packed)[0].filename)
}

function tryOut(name, tarball) {
  const folder = join(workplace, name)
  cpSync(join(source, name), folder, { recursive: true })
  const began = performance.now()
  run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline', tarball], folder)
  if (existsSync(join(folder, 'tsconfig.json'))) compile(folder, name)
  const main = ['main.js', 'out/main.js', 'out/main.cjs'].find((file) => existsSync(join(folder, file)))
  for (const { version, binary } of nodes) {
    const output = run(binary, ['--trace-warnings', main], folder)
    if (output !== '') throw new Error(`${name} on Node ${version} wrote what it was not asked to:\n${output}`)
  }
  say(`${name}: runs (${((performance.now() - began) / 1000).toFixed(1)} s)`)
}

/** The consumers have no TypeScript of their own; ours, and the types of Node, are lent to them. */
function compile(folder, name) {
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  // By `node16` CommonJS cannot require ES modules, only import them.
  const modules = name === 'commonjs-require' ? ['nodenext'] : ['node16', 'nodenext']
  for (const module of modules)
    run(
      process.execPath,
      [tsc, '-p', '.', '--module', module, '--typeRoots', join(root, 'node_modules/@types')],
      folder,
    )
}

function run(command, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', timeout: 300_000 })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} failed in ${cwd}:\n${stdout}${stderr}`)
  return command === 'npm' ? stdout : stdout + stderr
}

function say(text) {
  process.stdout.write(`${text}\n`)
}
