// Prepares a release: `npm run release -- 0.1.0`. It changes the version and the change log, builds and packs, tries the
// publication and builds the site; what it has made is committed and published by a person, as docs/releasing.md says.
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = new URL('../', import.meta.url)
const version = process.argv[2]
if (!/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version ?? '')) throw new Error('Usage: npm run release -- 0.1.0')

const changes = git('status', '--porcelain')
if (changes !== '') throw new Error(`Commit or put away first:\n${changes}`)
writeFileSync(new URL('CHANGELOG.md', root), released(read('CHANGELOG.md')))
run('npm', 'version', version, '--no-git-tag-version', '--allow-same-version')
run('npm', 'run', 'build')
run('npm', 'run', 'package')
run('npm', 'publish', '--dry-run')
run('npm', 'run', 'docs')
process.stdout.write(
  `\nAll is made for ${version}; nothing is published. The site is in .cache/docs. What is left is in docs/releasing.md.\n`,
)

/** What was not released until now is of this version from today on. */
function released(text) {
  const heading = /^## \[Unreleased\]$/m
  if (!heading.test(text)) throw new Error('The change log has no [Unreleased]')
  if (text.includes(`## [${version}]`)) throw new Error(`The change log has ${version} already`)
  const today = new Date().toISOString().slice(0, 10)
  return text.replace(heading, `## [Unreleased]\n\n## [${version}] - ${today}`)
}

function read(name) {
  return readFileSync(new URL(name, root), 'utf8')
}

function git(...args) {
  return spawnSync('git', args, { cwd: fileURLToPath(root), encoding: 'utf8' }).stdout.trim()
}

function run(command, ...args) {
  process.stdout.write(`\n> ${[command, ...args].join(' ')}\n`)
  const { status } = spawnSync(command, args, { cwd: fileURLToPath(root), stdio: 'inherit' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}`)
}
