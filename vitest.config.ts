import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url))

export default defineConfig({
  resolve: {
    alias: [
      { find: /^@autovolt\/data$/, replacement: source('index.ts') },
      { find: /^@autovolt\/data\/ledger$/, replacement: source('ledger/offline.ts') },
      { find: /^@autovolt\/data\/mqtt$/, replacement: source('mqtt/index.ts') },
      { find: /^@autovolt\/data\/testing$/, replacement: source('testing/index.ts') },
    ],
  },
  test: {
    include: ['tests/**/*.test.ts'],
    exclude: ['tests/system/**', 'node_modules/**'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
  },
})
