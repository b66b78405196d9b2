// Counts the type instantiations that the built package costs a consumer, and compares the number with the one that is
// pinned in tests/types/budget. A count is the same on every machine, which a time is not.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = new URL('../tests/types/budget/', import.meta.url)
const tsc = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url))
const { instantiations: budget } = JSON.parse(readFileSync(new URL('budget.json', folder), 'utf8'))

const consumer = measure('consumer.ts')
const empty = measure('empty.ts')
const extraSeconds = (consumer.seconds - empty.seconds).toFixed(2)
process.stdout.write(
  `consumer.ts: ${consumer.instantiations} type instantiations, the budget is ${budget} (${extraSeconds} s more than an empty file)\n`,
)
if (consumer.instantiations > budget) {
  process.stderr.write(
    'Above the budget. Make the public types cheaper, or raise the number in budget.json and say why.\n',
  )
  process.exitCode = 1
}

function measure(file) {
  const options = ['--ignoreConfig', '--noEmit', '--strict', '--skipLibCheck', '--types', 'node']
  const language = ['--target', 'es2023', '--module', 'nodenext', '--extendedDiagnostics']
  const path = fileURLToPath(new URL(file, folder))
  const { status, stdout } = spawnSync(process.execPath, [tsc, ...options, ...language, path], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${file} does not compile:\n${stdout}`)
  return { instantiations: read(stdout, 'Instantiations'), seconds: read(stdout, 'Total time') }
}

function read(diagnostics, name) {
  const value = new RegExp(`^${name}:\\s+([\\d.]+)`, 'm').exec(diagnostics)?.[1]
  if (value === undefined) throw new Error(`tsc printed no '${name}':\n${diagnostics}`)
  return Number(value)
}
