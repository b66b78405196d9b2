import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** What takes longest, as measured: begun last it would keep one worker busy after all others have ended. */
const longest = [
  'docs/snippets',
  'cli/adopt',
  'cli/migrate',
  'docs/contributing',
  'cli/backup',
  'doors/hostile-arguments',
  'backup/point-in-time',
  'entities/catalogue',
  'cli/operations',
  'privacy/processes',
  'backup/restore',
  'migrations/faults',
  'operations/roles',
  'energy/daily/coverage',
  'migrations/processes',
  'ledger/export/python',
].map((name) => `/tests/${name}.test.ts`)

/** On a fresh clone nothing is known of how long files take: these come first. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    const place = ({ moduleId }: TestSpecification) => {
      const at = longest.findIndex((name) => moduleId.endsWith(name))
      return at < 0 ? longest.length : at
    }
    return sorted.toSorted((one, other) => place(one) - place(other))
  }
}
