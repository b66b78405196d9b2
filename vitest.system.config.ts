import { defineConfig } from 'vitest/config'
import base from './vitest.config.js'

/** The system tests: `npm run test:system`. They kill processes and load the machine, so they run one after the other. */
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['tests/system/**/*.test.ts'],
    exclude: ['node_modules/**'],
    fileParallelism: false,
    coverage: { enabled: false },
    testTimeout: 20 * 60_000,
    hookTimeout: 5 * 60_000,
  },
})
