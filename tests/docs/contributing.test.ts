import { execFile } from 'node:child_process'
import { cp, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { expect, inject, it } from 'vitest'
import { cleanUpLater } from '../support/clean-up.js'
import { rootFolder } from './code-blocks.js'

const run = promisify(execFile)
const page = await readFile(join(rootFolder, 'CONTRIBUTING.md'), 'utf8')
/** Inside the repository, so that packages are found. */
const folder = join(rootFolder, '.cache/contributing')

/** The files of the worked example: their names as the page has them, each before its code block. */
const steps = [...page.matchAll(/^(New file|Changes to) `([^`]+)`:\n\n```\w+\n(.*?)^```$/gms)].map(
  ([, kind, file = '', code = '']) => ({ isNew: kind === 'New file', file, code }),
)

it('a new entity is added by what the page says, in seven files or fewer', async () => {
  await copyOfRepository()
  for (const { isNew, file, code } of steps) {
    const path = join(folder, file)
    await mkdir(dirname(path), { recursive: true })
    await writeFile(path, isNew ? code : changed(await readFile(path, 'utf8'), code))
  }
  await node('node_modules/tsx/dist/cli.mjs', 'scripts/write-index-page.ts')
  const written = ['docs/indexes.md', ...steps.map(({ file }) => file)]
  expect(written.length).toBeLessThanOrEqual(7)
  expect(await readFile(join(folder, 'docs/indexes.md'), 'utf8')).toContain('## `holidays`')

  const tests = steps.map(({ file }) => file).filter((file) => file.endsWith('.test.ts'))
  expect(tests).toHaveLength(1)
  await Promise.all([
    node('node_modules/typescript/bin/tsc', '-p', 'tsconfig.json'),
    vitest(...tests, 'tests/entities/catalogue.test.ts', '-t', 'holiday|for every entity'),
  ])
}, 600_000)

/** What the example works on: the sources and the tests' own helpers, and the configuration to run them here. */
async function copyOfRepository(): Promise<void> {
  const remove = () => rm(folder, { recursive: true, force: true })
  await remove()
  cleanUpLater(remove)
  for (const part of [
    'src',
    'scripts',
    'tests/support',
    'tests/entities',
    'docs/indexes.md',
    'docs/roles.md',
    'docs/metrics.md',
    'CHANGELOG.md',
    'package.json',
  ])
    await cp(join(rootFolder, part), join(folder, part), { recursive: true })
  await symlink(join(rootFolder, 'node_modules'), join(folder, 'node_modules'))
  await writeFile(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: '../../tsconfig.json',
      include: ['src/index.ts', 'tests/entities/catalogues.ts', 'tests/devices', 'tests/support/global-setup.ts'],
      exclude: [],
    }),
  )
  await writeFile(
    join(folder, 'vitest.config.mjs'),
    `export default { test: {
      root: ${JSON.stringify(folder)},
      provide: ${JSON.stringify({ mongodbUri: inject('mongodbUri'), setUpState: inject('setUpState') })},
      setupFiles: 'tests/support/set-up-file.ts',
      testTimeout: 180_000,
      hookTimeout: 300_000,
    } }\n`,
  )
}

/** The text with the hunks of a diff: lines that begin with a space or a minus are looked up, one after the other. */
function changed(text: string, diff: string): string {
  let lines = text.split('\n')
  for (const hunk of diff.trimEnd().split('\n@@\n')) {
    const marked = hunk.split('\n')
    const before = marked.filter((line) => !line.startsWith('+')).map((line) => line.slice(1))
    const after = marked.filter((line) => !line.startsWith('-')).map((line) => line.slice(1))
    const at = lines.findIndex((_, start) => before.every((line, offset) => lines[start + offset] === line))
    expect(at, `the page changes lines that are not there:\n${before.join('\n')}`).not.toBe(-1)
    lines = [...lines.slice(0, at), ...after, ...lines.slice(at + before.length)]
  }
  return lines.join('\n')
}

async function node(...args: string[]): Promise<void> {
  const { VITEST: _, ...env } = process.env
  const failed = await run(process.execPath, args, { cwd: folder, env }).then(
    () => '',
    ({ stdout, stderr }) => `${stdout}${stderr}`,
  )
  expect(failed).toBe('')
}

const vitest = (...args: string[]) => node('node_modules/vitest/vitest.mjs', 'run', ...args)
