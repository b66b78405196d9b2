import { AutoVolt } from '@autovolt/data'

/** What a process that applies rules is asked to do. */
export interface RuleTask {
  readonly uri: string
  readonly dbName: string
}

/** Applies rules until it is killed, and tells how many readings it has looked at. */
async function main({ uri, dbName }: RuleTask): Promise<void> {
  await using volt = await AutoVolt.open({ uri, dbName })
  await volt.alertRules.run({ lateMs: 500 })
  process.send?.('ready')
  let readings = 0
  for (;;) {
    const run = await volt.alertRules.run({ lateMs: 500 })
    readings += run.readings
    process.send?.({ readings })
    await new Promise((resolve) => setTimeout(resolve, 1_000))
  }
}

await main(JSON.parse(process.argv[2] ?? '{}') as RuleTask)
