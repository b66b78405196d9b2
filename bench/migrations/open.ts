import { AutoVolt } from '@autovolt/data'
import type { Migration } from '@autovolt/data/migrations'

/** A handle whose host has these migrations, on a database whose shipped ones are written down as applied up to one. */
export async function openWith(uri: string, dbName: string, list: readonly Migration[] = []): Promise<AutoVolt> {
  const volt = await AutoVolt.open({ uri, dbName, migrations: { list } })
  const { migrations } = await volt.migrations.status()
  const last = migrations.findLast(({ id }) => id.startsWith('autovolt-'))
  if (last?.state === 'pending') await volt.migrations.baseline(last.id)
  return volt
}
