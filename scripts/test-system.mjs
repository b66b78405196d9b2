// Runs the system tests: `npm run test:system`, or all of each with `npm run test:system -- --full`.
// The flag is taken out here because vitest refuses options that it does not know.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url))
const given = process.argv.slice(2)
const env = given.includes('--full') ? { ...process.env, AUTOVOLT_FULL: '1' } : process.env
const rest = given.filter((argument) => argument !== '--full')

const options = ['run', '--config', 'vitest.system.config.ts', ...rest]
const { status } = spawnSync(process.execPath, [vitest, ...options], { stdio: 'inherit', env })
process.exitCode = status ?? 1
