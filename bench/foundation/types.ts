import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { alternate, type GroupContext, type Row, secondsOf, valueRow } from '../harness.js'

const run = promisify(execFile)
const options = [
  '--ignoreConfig',
  '--noEmit',
  '--strict',
  '--skipLibCheck',
  '--types',
  'node',
  '--target',
  'es2023',
  '--module',
  'nodenext',
]
const root = fileURLToPath(new URL('../..', import.meta.url))

/** Seconds that type-checking a consumer file with ten entities takes beyond an empty one. */
export async function benchTypes({ rounds, say }: GroupContext): Promise<Row[]> {
  say('types: a consumer of ten entities')
  await run('npm', ['run', 'build'], { cwd: root })
  const check = (file: string) =>
    secondsOf(() =>
      run(process.execPath, ['node_modules/typescript/bin/tsc', ...options, `tests/types/budget/${file}`], {
        cwd: root,
      }),
    )
  const measured = await alternate(
    rounds,
    () => check('consumer.ts'),
    () => check('empty.ts'),
  )
  return [
    valueRow(
      'types.ten-entities',
      's',
      { value: measured.value - measured.baseline, baseline: measured.baseline },
      { atMost: 1 },
    ),
  ]
}
