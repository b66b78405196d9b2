// Writes docs/ledger-vectors: `npx tsx tests/ledger/vectors/make.ts`.
import { mkdir, writeFile } from 'node:fs/promises'
import { formatVectors, vectorFiles } from './vectors.js'

const folder = new URL('../../../docs/ledger-vectors/', import.meta.url)
await mkdir(folder, { recursive: true })
for (const [name, vectors] of Object.entries(vectorFiles))
  await writeFile(new URL(name, folder), formatVectors(vectors))
