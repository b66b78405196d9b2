import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './tests/support/longest-first.js'
import { SummaryReporter } from './tests/support/summary-reporter.js'

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url))

/** The unit and integration tests: `npm test`. The system tests have `vitest.system.config.ts`. */
export default defineConfig({
  resolve: {
    alias: [
      { find: /^@autovolt\/data$/, replacement: source('index.ts') },
      { find: /^@autovolt\/data\/analytics$/, replacement: source('energy/analytics/index.ts') },
      { find: /^@autovolt\/data\/backup$/, replacement: source('backup/index.ts') },
      { find: /^@autovolt\/data\/ledger$/, replacement: source('ledger/offline.ts') },
      { find: /^@autovolt\/data\/migrations$/, replacement: source('migrations/index.ts') },
      { find: /^@autovolt\/data\/mqtt$/, replacement: source('mqtt/index.ts') },
      { find: /^@autovolt\/data\/opentelemetry$/, replacement: source('opentelemetry/index.ts') },
      { find: /^@autovolt\/data\/prometheus$/, replacement: source('prometheus/index.ts') },
      { find: /^@autovolt\/data\/testing$/, replacement: source('testing/index.ts') },
    ],
  },
  test: {
    include: ['tests/**/*.test.ts'],
    exclude: ['tests/system/**', 'tests/consumers/**', 'node_modules/**'],
    globalSetup: 'tests/support/global-setup.ts',
    setupFiles: 'tests/support/set-up-file.ts',
    reporters: ['default', new SummaryReporter()],
    // Most of the time they wait for the database, so there may be more of them than cores.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    // Files keep their names to themselves, so what one has loaded the next can use.
    isolate: false,
    // These only end what hangs: no test fails because a machine is several times slower. A long form has its time.
    testTimeout: process.env.AUTOVOLT_FULL === '1' ? 1_800_000 : 180_000,
    hookTimeout: 300_000,
    // Thousands of tests with real processes on a loaded machine: one failure there is tried again, and named at the end.
    retry: process.env.CI === undefined ? 0 : 1,
    coverage: {
      enabled: process.env.COVERAGE === '1',
      provider: 'v8',
      include: ['src/**/*.ts'],
      reporter: [['text', { skipFull: true }], 'html'],
      thresholds: {
        'src/{core,identity,devices,metering,ledger,energy,activity,incidents,market}/**/*.ts': { lines: 95 },
        'src/**/*-repository.ts': { lines: 95 },
      },
    },
  },
})
