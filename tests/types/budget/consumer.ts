// What a service of ordinary size does with the package, compiled against the built declarations.
import { AutoVolt } from '@autovolt/data'
import { startReplicaSet } from '@autovolt/data/testing'

export async function main(): Promise<string[]> {
  const replicaSet = await startReplicaSet()
  const volt = await AutoVolt.open({ uri: replicaSet.uri, dbName: 'school' })
  await volt.setup()
  await volt.classrooms.create({ name: 'Room 101', timeZone: 'Asia/Kolkata' })
  const { items } = await volt.classrooms.page({ name: 'Room 101' })
  await volt.close()
  return items.map((room) => room.name)
}
