import { parseArgs } from 'node:util'
import { backup } from './backup/index.js'
import { devices } from './devices/index.js'
import { energy } from './energy/index.js'
import { foundation } from './foundation/index.js'
import { type Group, machine, type Row, table } from './harness.js'
import { incidents } from './incidents/index.js'
import { ledger } from './ledger/index.js'
import { market } from './market/index.js'
import { migrations } from './migrations/index.js'
import { operations } from './operations/index.js'
import { people } from './people/index.js'
import { schedules } from './schedules/index.js'

const groups: Readonly<Record<string, Group>> = {
  foundation,
  ledger,
  energy,
  backup,
  migrations,
  people,
  schedules,
  devices,
  incidents,
  market,
  operations,
}

/** `npm run bench -- GROUP [--json] [--large] [--documents N] [--rounds N]` */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      json: { type: 'boolean', default: false },
      large: { type: 'boolean', default: false },
      documents: { type: 'string' },
      rounds: { type: 'string', default: '5' },
    },
  })
  const name = positionals[0] ?? ''
  const group = groups[name]
  if (group === undefined) throw new Error(`Name one of these groups: ${Object.keys(groups).join(', ')}`)
  const say = (text: string) => console.error(text)
  const run = (documents: number) => group({ documents, rounds: Number(values.rounds), say })
  const rows = await run(Number(values.documents ?? 1_000_000))
  if (values.json)
    console.log(
      JSON.stringify({ group: name, machine: machine(), rows: rows.map(({ judged, ...row }) => row) }, null, 2),
    )
  else console.log(`${machine()}\n\n${table(rows)}`)
  if (values.large) console.log(`\nwith 10,000,000 documents:\n\n${growth(rows, await run(10_000_000))}`)
}

/** The figures on the large collection, and how they grew. */
function growth(small: readonly Row[], large: readonly Row[]): string {
  const before = new Map(small.map((row) => [row.name, row.value]))
  return `${table(large)}\n\n${large.map(({ name, value }) => `${name}: ${(value / (before.get(name) ?? Number.NaN)).toFixed(2)} times`).join('\n')}`
}

await main()
