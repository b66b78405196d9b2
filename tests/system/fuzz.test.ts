import fc from 'fast-check'
import { expect, it } from 'vitest'
import { fuzzSubjects } from '../fuzz/subjects.js'
import { targetsOf } from '../fuzz/targets.js'
import { testDatabase } from '../support/database.js'
import { full } from '../support/extent.js'

/** An hour in all, or a slice of it. */
const minutes = Number(process.env.AUTOVOLT_FUZZ_MINUTES ?? (full ? 60 : 0.3))
const batch = 1000
/** The slice is the same each time. */
const firstSeed = full ? Date.now() % 2 ** 31 : 14

it(
  'an hour of fuzzing finds nothing',
  async () => {
    const targets = targetsOf(await fuzzSubjects(testDatabase()))
    const eachMs = (minutes * 60_000) / targets.length
    for (const { name, property } of targets) {
      const endMs = Date.now() + eachMs
      for (let seed = firstSeed; Date.now() < endMs; seed += 1) {
        const details = await fc.check(property, { seed, numRuns: batch, interruptAfterTimeLimit: endMs - Date.now() })
        const told = details.failed ? `${name}, seed ${details.seed}, path ${details.counterexamplePath}: ` : ''
        const report = details.failed ? `${String(details.errorInstance)}\n${fc.defaultReportMessage(details)}` : ''
        expect(told + report).toBe('')
      }
    }
  },
  (minutes + 10) * 60_000,
)
