import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))
const config = fileURLToPath(new URL('./fixtures/vitest.config.ts', import.meta.url))

it('ends the output with what passed and failed, after what did not run, what failed and why', async () => {
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' }
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, [vitest, 'run', '--config', config], { env }, (_, stdout) => resolve(stdout))
  })
  expect(output).toMatch(/Test Files {2}/) // the default reporter's
  expect(output.split('\n').slice(-9)).toEqual([
    'skipped: summary.ts > is left out (no reason given)',
    'skipped: summary.ts > needs what is not there (there is no printer)',
    'skipped: summary.ts: 1 tests (what comes before them failed)',
    'passed when tried again: summary.ts > fails once: expected 1 to be 2 // Object.is equality',
    'failed: summary.ts > with a broken hook: broken',
    'failed: summary.ts > fails: expected 1 to be 2 // Object.is equality',
    'failed: unloadable.ts: This file cannot be loaded',
    '2 passed, 3 failed',
    '',
  ])
})
