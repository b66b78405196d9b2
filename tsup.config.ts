import { defineConfig } from 'tsup'

export default defineConfig({
  entry: {
    index: 'src/index.ts',
    'backup/index': 'src/backup/index.ts',
    'cli/autovolt': 'src/cli/autovolt.ts',
    'energy/analytics/index': 'src/energy/analytics/index.ts',
    'ledger/offline': 'src/ledger/offline.ts',
    'migrations/index': 'src/migrations/index.ts',
    'mqtt/index': 'src/mqtt/index.ts',
    'opentelemetry/index': 'src/opentelemetry/index.ts',
    'prometheus/index': 'src/prometheus/index.ts',
    'testing/index': 'src/testing/index.ts',
  },
  format: ['esm'],
  target: 'node20',
  platform: 'node',
  dts: true,
  clean: true,
  sourcemap: true,
  // The sources are in the repository; in the package they would double its size.
  esbuildOptions: (options) => {
    options.sourcesContent = false
  },
  silent: true,
})
