import { defineConfig } from 'vitest/config'
import base from './vitest.config.js'

const { reporters = [], globalSetup = [], setupFiles = [], isolate = false, retry = 0 } = base.test ?? {}
/** Live pages, and tests of who comes first and who notices in time: with nothing beside them. */
const alone = ['host-*', 'broker-chaos', 'deployed-firmware', 'fuzz', 'starved-writers'].map(
  (name) => `tests/system/${name}.test.ts`,
)
const shared = { setupFiles, isolate, retry, testTimeout: 20 * 60_000, hookTimeout: 5 * 60_000 }

/** The system tests: `npm run test:system`. They kill processes and load the machine, so two run beside each other at most. */
export default defineConfig({
  ...base,
  test: {
    reporters,
    globalSetup,
    projects: [
      {
        ...base,
        test: {
          ...shared,
          name: 'beside',
          include: ['tests/system/**/*.test.ts'],
          exclude: alone,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        ...base,
        test: { ...shared, name: 'alone', include: alone, fileParallelism: false, sequence: { groupOrder: 1 } },
      },
    ],
  },
})
