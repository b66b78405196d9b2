import type { AutoVolt } from '@autovolt/data'
import { type GroupContext, median, type Row, valueRow } from '../harness.js'

const attempts = 15
const wrong = 'a wrong password'
/** Of 10 rounds, where today's are 12. */
const oldHash = '$2b$10$AhjUBdBVbl36B16S4M.h6uZ6VQh7l31pvR9aPrxmZe1I7RfpQmRbO'

/** Failed sign-ins of six kinds of addresses: the slowest kind's median divided by the fastest one's: an answer's time must not show the kind. */
export async function benchEnumeration(volt: AutoVolt, { say }: GroupContext): Promise<Row[]> {
  say('people: failed sign-ins of six kinds')
  const create = (name: string, fields = {}) => volt.users.create({ email: `${name}@kinds.example`, name, ...fields })
  const password = 'correct horse'
  const known = await create('known', { password })
  const locked = await create('locked', { password })
  const old = await create('older')
  await create('without')
  await create('inactive', { password, status: 'inactive' })
  await volt.users.setPasswordHash(old._id, oldHash)
  const kinds = ['known', 'locked', 'older', 'without', 'inactive', 'unknown']
  for (let count = 0; count < 5; count += 1) await failedMs(volt, 'locked')
  const times = new Map<string, number[]>(kinds.map((kind) => [kind, []]))
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    for (const kind of kinds) times.get(kind)?.push(await failedMs(volt, kind))
    for (const { _id } of [known, old]) await volt.signIn.unlock(_id)
  }
  if ((await volt.users.get(locked._id)).lockUntil === undefined) throw new Error('The user is not locked out')
  const medians = [...times.values()].map(median)
  return [
    valueRow('sign-ins.kinds-apart', 'ratio', { value: Math.max(...medians) / Math.min(...medians) }, { atMost: 1.1 }),
  ]
}

async function failedMs(volt: AutoVolt, kind: string): Promise<number> {
  const startedMs = performance.now()
  await volt.signIn.withPassword(`${kind}@kinds.example`, wrong).catch(() => undefined)
  return performance.now() - startedMs
}
