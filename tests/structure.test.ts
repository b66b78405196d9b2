import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import rules from '../.dependency-cruiser.json' with { type: 'json' }
import { cleanUpLater } from './support/clean-up.js'

const top = fileURLToPath(new URL('../', import.meta.url))

/** A source tree in which each rule is broken once: the file, and what it imports. */
const broken: Readonly<Record<string, readonly [file: string, imported: string]>> = {
  'no-circle': ['core/one.ts', './other.js'],
  'core-knows-no-domain': ['core/reader.ts', '../devices/index.js'],
  'metering-imports-nothing-of-ours': ['metering/cost.ts', '../core/clock.js'],
  'adapters-are-known-by-nobody': ['devices/index.ts', '../mqtt/index.js'],
  'adapters-know-no-other-adapter': ['cli/main.ts', '../mqtt/index.js'],
  'the-handle-is-known-by-adapters-only': ['ledger/index.ts', '../autovolt.js'],
  'only-the-list-opens-domains': ['devices/repository.ts', '../energy/domain.js'],
  'ledger-knows-no-energy': ['ledger/entry.ts', '../energy/price.js'],
}
const sound = { 'core/other.ts': './one.js' }

it('a source tree that breaks a rule of the structure is refused, with the name of the rule', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'autovolt-structure-'))
  cleanUpLater(() => rm(folder, { recursive: true }))
  await symlink(join(top, 'node_modules'), join(folder, 'node_modules'))
  const write = async (file: string, text: string) => {
    const path = join(folder, 'src', file)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  }
  const files = [...Object.values(broken), ...Object.entries(sound)]
  for (const [file, imported] of files) {
    const target = join(dirname(file), imported).replace(/js$/, 'ts')
    if (!files.some(([other]) => other === target)) await write(target, 'export {}\n')
  }
  for (const [file, imported] of files) await write(file, `import '${imported}'\n`)
  await writeFile(join(folder, 'tsconfig.json'), '{}')
  const options = ['src', '--config', join(top, '.dependency-cruiser.json')]
  const { status, stdout } = spawnSync(join(top, 'node_modules/.bin/depcruise'), options, {
    cwd: folder,
    encoding: 'utf8',
  })
  expect(status).not.toBe(0)
  const named = rules.forbidden.map(({ name }) => name).filter((name) => stdout.includes(name))
  expect(named).toEqual(rules.forbidden.map(({ name }) => name))
  expect(Object.keys(broken)).toEqual(named)
})
