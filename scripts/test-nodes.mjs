// Runs a slice of the tests on the newest version of Node that is supported, with `--full` on all but this one: what depends on
// the platform (time zones, texts, numbers, streams, crypto), and the way through a repository, the ledger and a transaction.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { otherNodes } from './other-nodes.mjs'

const vitest = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url))
const slice = [
  'tests/metering',
  'tests/devices/time-zone.test.ts',
  'tests/core/repository',
  'tests/core/key-ring.test.ts',
  'tests/core/transaction.test.ts',
  'tests/energy/tariffs',
  'tests/ledger/bytes',
  'tests/ledger/append',
  'tests/ledger/export',
  'tests/migrations/adoption/sqlite-file.test.ts',
]

const nodes = process.argv.includes('--full') ? otherNodes() : otherNodes().slice(-1)

for (const { version, binary } of nodes) {
  process.stdout.write(`Node ${version}\n`)
  const env = { ...process.env, COVERAGE: '' }
  const { status } = spawnSync(binary, [vitest, 'run', ...slice], { stdio: 'inherit', env })
  if (status !== 0) {
    process.exitCode = 1
    break
  }
}
