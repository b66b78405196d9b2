import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const vitest = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))
const config = fileURLToPath(new URL('./fixtures/vitest.config.ts', import.meta.url))

it('ends the output with what passed and failed, after what did not run and why', async () => {
  const env = { ...process.env, NO_COLOR: '1', FORCE_COLOR: '0' }
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, [vitest, 'run', '--config', config], { env }, (_, stdout) => resolve(stdout))
  })
  expect(output).toMatch(/Test Files {2}/) // the default reporter's
  expect(output.split('\n').slice(-5)).toEqual([
    'skipped: summary.ts > is left out (no reason given)',
    'skipped: summary.ts > needs what is not there (there is no printer)',
    'skipped: summary.ts > with a broken hook > is not reached (what comes before it in its file failed)',
    '1 passed, 3 failed',
    '',
  ])
})
