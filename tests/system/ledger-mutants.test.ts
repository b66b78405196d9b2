import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { buildGoVerifier } from '../ledger/vectors/go-verifier.js'
import { mutants } from '../ledger/vectors/mutants.js'
import type { Vector } from '../ledger/vectors/vector.js'
import { libraryVerdict, ProcessVerifier } from '../ledger/vectors/verifiers.js'
import { cleanUpLater } from '../support/clean-up.js'
import { full } from '../support/extent.js'

const count = full ? 100_000 : 4000
const seed = full ? Date.now() % 1_000_000 : 13
const atOnce = 200

it(`a verifier in Go, written after the page, agrees with the library on ${count} mutations that are signed again`, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'autovolt-mutants-'))
  cleanUpLater(() => rm(folder, { recursive: true }))
  using verifier = new ProcessVerifier(await buildGoVerifier(folder), ['--batch'])
  const disagreements: string[] = []
  const verdicts = { sound: 0, damaged: 0, 'cannot tell': 0 }
  const judge = async (mutant: Vector) => {
    const [ours, theirs] = await Promise.all([libraryVerdict(mutant), verifier.verdictOf(mutant)])
    verdicts[theirs] += 1
    if (ours !== theirs) disagreements.push(`${mutant.name}: the library says ${ours}, the verifier ${theirs}`)
  }
  let group: Vector[] = []
  for (const mutant of mutants(seed, count)) {
    group.push(mutant)
    if (group.length < atOnce) continue
    await Promise.all(group.map(judge))
    group = []
  }
  expect(disagreements).toEqual([])
  expect(Math.min(...Object.values(verdicts))).toBeGreaterThan(count / 100)
}, 3_600_000)
