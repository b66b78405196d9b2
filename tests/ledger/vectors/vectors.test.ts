import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { runs } from '../../support/extent.js'
import { buildGoVerifier, hasGo } from './go-verifier.js'
import { limitVectors } from './limit-vectors.js'
import { mutants } from './mutants.js'
import type { Vector } from './vector.js'
import { formatVectors, vectorFiles } from './vectors.js'
import { libraryVerdict, ProcessVerifier } from './verifiers.js'

const published = (name: string) => readFile(new URL(`../../../docs/ledger-vectors/${name}`, import.meta.url), 'utf8')
const python = fileURLToPath(new URL('../python/verify_export.py', import.meta.url))

/** Those that are published, and those that are too long for that. */
async function cases(): Promise<Vector[]> {
  const texts = await Promise.all(Object.keys(vectorFiles).map(published))
  return [...texts.flatMap((text) => JSON.parse(text) as Vector[]), ...limitVectors]
}

/** The names of those that the verifier judges in another way, with what it says. */
async function disagreements(verdictOf: (vector: Vector) => Promise<string>): Promise<string[]> {
  const found: string[] = []
  for (const vector of await cases()) {
    const verdict = await verdictOf(vector)
    if (verdict !== vector.verdict) found.push(`${vector.name}: ${verdict}, not ${vector.verdict}`)
  }
  return found
}

const isGoThere = await hasGo()

describe('the test vectors of docs/ledger-vectors', () => {
  it.each(Object.entries(vectorFiles))('are those that the tests make: %s', async (name, vectors) => {
    expect(await published(name)).toBe(formatVectors(vectors))
  })

  it('have names of their own, and all verdicts', async () => {
    const all = await cases()
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length)
    expect(new Set(all.map(({ verdict }) => verdict))).toEqual(new Set(['sound', 'damaged', 'cannot tell']))
  })

  it('are judged as they say by the library', async () => {
    expect(await disagreements(libraryVerdict)).toEqual([])
  })

  it('are judged as they say by the verifier in Python', async () => {
    using verifier = new ProcessVerifier('python3', [python, '--batch'])
    expect(await disagreements((vector) => verifier.verdictOf(vector))).toEqual([])
  })
})

/** To compile what it needs of the standard library, the first time. */
const compileMs = 600_000

// The one in Go follows the page; where there is no Go the vectors have said the same already.
describe.runIf(isGoThere)('a verifier in Go that was written from docs/ledger-format.md alone', () => {
  const withVerifier = async (check: (verifier: ProcessVerifier) => Promise<void>) => {
    const folder = await mkdtemp(join(tmpdir(), 'autovolt-go-'))
    try {
      using verifier = new ProcessVerifier(await buildGoVerifier(folder), ['--batch'])
      await check(verifier)
    } finally {
      await rm(folder, { recursive: true })
    }
  }

  it(
    'judges the vectors as they say',
    async () => {
      await withVerifier(async (verifier) => {
        expect(await disagreements((vector) => verifier.verdictOf(vector))).toEqual([])
      })
    },
    compileMs,
  )

  it(
    'agrees with the library on mutations that are signed again',
    async () => {
      await withVerifier(async (verifier) => {
        const found = new Set<string>()
        for (const mutant of mutants(1, runs(150))) {
          const [ours, theirs] = await Promise.all([libraryVerdict(mutant), verifier.verdictOf(mutant)])
          expect([mutant.name, ours]).toEqual([mutant.name, theirs])
          found.add(ours)
        }
        expect(found).toEqual(new Set(['sound', 'damaged', 'cannot tell']))
      })
    },
    compileMs,
  )
})
