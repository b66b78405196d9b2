import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { setUpDatabase } from '../support/database.js'
import seeds from './seeds.json' with { type: 'json' }
import { fuzzSubjects } from './subjects.js'
import { type Target, targetsOf } from './targets.js'

interface Seed {
  readonly target: string
  readonly seed: number
  readonly path: string
}

/** The slice that every run of the tests takes; `tests/system/fuzz.test.ts` has the long form. */
const numRuns = 150
/** One slice, always the same: what the long form finds is kept in seeds.json. */
const seed = 14
const database = setUpDatabase()
let targets: Target[] = []

beforeAll(async () => {
  targets = targetsOf(await fuzzSubjects(database))
})

const targetOf = (name: string) => targets.find((target) => target.name === name)?.property as Target['property']

describe('whatever comes in by', () => {
  it.each([
    'repositories',
    'questions',
    'ledger calls',
    'other calls of the handle',
    'exports',
    'decoders',
    'files',
    'backups',
    'command line',
  ])(
    '%s is refused with an error of ours, or used',
    async (name) => {
      await fc.assert(targetOf(name), { numRuns, seed })
    },
    600_000,
  )

  it('the seeds that were kept stays corrected', async () => {
    for (const { target, ...kept } of seeds as readonly Seed[]) {
      await expect(fc.assert(targetOf(target), kept)).resolves.toBeUndefined()
    }
  })
})
