import { spawnSync } from 'node:child_process'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import rules from '../.dependency-cruiser.json' with { type: 'json' }
import { cleanUpLater } from './support/clean-up.js'

const top = fileURLToPath(new URL('../', import.meta.url))

/** For each rule files that break it, and what they import. */
const broken: Readonly<Record<string, readonly (readonly [file: string, imported: string])[]>> = {
  'no-circle': [['core/one.ts', './other.js']],
  'one-asynchronous-context': [['identity/actor.ts', 'async_hooks']],
  'core-knows-no-domain': [
    ['core/reader.ts', '../devices/device.js'],
    ['core/repository/page.ts', '../../metering/index.js'],
  ],
  'metering-imports-nothing-of-ours': [
    ['metering/cost.ts', '../core/clock.js'],
    ['metering/civil-time.ts', '../energy/price.js'],
  ],
  'adapters-are-known-by-nobody': [
    ['devices/device-repository.ts', '../mqtt/index.js'],
    ['energy/energy-service.ts', '../cli/run.js'],
    ['autovolt.ts', './testing/index.js'],
  ],
  'adapters-know-no-other-adapter': [
    ['cli/main.ts', '../mqtt/index.js'],
    ['mqtt/session.ts', '../testing/index.js'],
  ],
  'the-handle-is-known-by-adapters-only': [
    ['ledger/ledger.ts', '../autovolt.js'],
    ['ingestion/pipeline.ts', '../domains.js'],
    ['energy/days.ts', '../index.js'],
  ],
  'only-the-list-opens-domains': [
    ['devices/repository.ts', '../energy/domain.js'],
    ['mqtt/ingestion.ts', '../devices/domain.js'],
  ],
  'backups-are-read-without-a-database': [
    ['backup/read/verify.ts', '../restore/restore.js'],
    ['backup/keep/retention.ts', '../dump/catalog.js'],
    ['backup/format/manifest.ts', '../../core/database.js'],
    ['backup/storage/storage.ts', 'mongodb'],
  ],
  'ledger-knows-no-energy': [
    ['ledger/entry.ts', '../energy/price.js'],
    ['ledger/audit/finding.ts', '../../devices/device.js'],
  ],
}
const sound = [
  ['core/other.ts', './one.js'],
  ['domains.ts', './energy/domain.js'],
  ['cli/run.ts', '../autovolt.js'],
  ['ledger/chain.ts', '../metering/cost.js'],
] as const

it('a source tree that breaks a rule of the structure is refused, with the rule and the import', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'autovolt-structure-'))
  cleanUpLater(() => rm(folder, { recursive: true }))
  await symlink(join(top, 'node_modules'), join(folder, 'node_modules'))
  const write = async (file: string, text: string) => {
    const path = join(folder, 'src', file)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, text)
  }
  const files = [...Object.values(broken).flat(), ...sound]
  const targetOf = (file: string, imported: string) => join(dirname(file), imported).replace(/js$/, 'ts')
  for (const [file, imported] of files)
    if (imported.startsWith('.')) await write(targetOf(file, imported), 'export {}\n')
  for (const [file, imported] of files) await write(file, `import '${imported}'\n`)
  await writeFile(join(folder, 'tsconfig.json'), '{}')
  const check = (...options: string[]) =>
    spawnSync(
      join(top, 'node_modules/.bin/depcruise'),
      ['src', '--config', join(top, '.dependency-cruiser.json'), ...options],
      { cwd: folder, encoding: 'utf8' },
    )
  expect(check().status).not.toBe(0)
  const { stdout } = check('--output-type', 'json')
  const { violations } = JSON.parse(stdout).summary as { violations: Violation[] }
  const found = violations.map(
    ({ rule, from, to }) => `${rule.name}: ${from} → ${to.replace(/.*node_modules.mongodb.*/, 'mongodb')}`,
  )
  const expected = Object.entries(broken).flatMap(([rule, breaks]) =>
    breaks.map(([file, imported]) => {
      const to = imported.startsWith('.') ? `src/${targetOf(file, imported)}` : imported
      return `${rule}: src/${file} → ${to}`
    }),
  )
  expect(expected.filter((one) => !found.includes(one))).toEqual([])
  const isSound = (from: string) => sound.some(([file]) => `src/${file}` === from) && from !== 'src/core/other.ts'
  expect(violations.filter(({ from }) => isSound(from))).toEqual([])
  expect(Object.keys(broken)).toEqual(rules.forbidden.map(({ name }) => name))
})

interface Violation {
  readonly rule: { readonly name: string }
  readonly from: string
  readonly to: string
}

describe('the sources', async () => {
  const names = (await readdir(join(top, 'src'), { recursive: true })).filter((name) => name.endsWith('.ts'))
  const sources = await Promise.all(
    names.map(async (name) => ({
      name,
      lines: (await readFile(join(top, 'src', name), 'utf8')).trimEnd().split('\n'),
    })),
  )

  it('have no type assertions past the compiler outside core, and at most ten in it', () => {
    const asserting = sources.flatMap(({ name, lines }) =>
      lines
        .filter((line) => /\bas (unknown as|never\b)/.test(line) && !line.trimStart().startsWith('*'))
        .map(() => name),
    )
    expect(asserting.filter((name) => !name.startsWith('core/'))).toEqual([])
    expect(asserting.length).toBeLessThanOrEqual(10)
  })

  it('have one subject in each file, in 300 lines at most', () => {
    expect(sources.filter(({ lines }) => lines.length > 300).map(({ name }) => name)).toEqual([])
  })
})
