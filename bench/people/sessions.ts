import { createHash } from 'node:crypto'
import type { AutoVolt } from '@autovolt/data'
import { alternate, type GroupContext, type Row, ratioRow, secondsOf } from '../harness.js'
import { userId } from './users.js'

const batch = 10_000
const calls = 2_000
const dayMs = 86_400_000

const sha256 = (text: string) => createHash('sha256').update(text).digest()
const tokenOf = (n: number) => sha256(`session ${n}`).toString('base64url')
const hashOf = (text: string) => sha256(text).toString('hex')

/** A session looked up by its token with its user, against the two reads with the plain driver. Milliseconds each. */
export async function benchSessions(volt: AutoVolt, { documents, rounds, say }: GroupContext): Promise<Row[]> {
  say(`people: ${documents} sessions`)
  await fill(volt, documents)
  const { native } = volt.database
  const sessions = native.collection('user_sessions')
  const users = native.collection('users')
  const tokens = (round: number) => Array.from({ length: calls }, (_, at) => tokenOf(((at + round) * 7919) % documents))
  say('people: looking up sessions')
  const lookUp = (find: (token: string) => Promise<unknown>) => async (round: number) => {
    const seconds = await secondsOf(async () => {
      for (const token of tokens(round)) if ((await find(token)) === null) throw new Error('A session is missing')
    })
    return (seconds * 1000) / calls
  }
  const measured = await alternate(
    rounds,
    lookUp((token) => volt.sessions.find(token)),
    lookUp(async (token) => {
      const session = await sessions.findOne({ tokenHash: hashOf(token) })
      return session && users.findOne({ _id: session.user })
    }),
  )
  return [ratioRow('sessions.find', 'ms', measured, { atMost: 1.3 })]
}

/** Through the driver: what is measured is the reading. */
async function fill(volt: AutoVolt, documents: number): Promise<void> {
  const sessions = volt.database.native.collection('user_sessions')
  const now = new Date()
  const later = (ms: number) => new Date(now.getTime() + ms)
  for (let start = 0; start < documents; start += batch) {
    const made = Array.from({ length: Math.min(batch, documents - start) }, (_, at) => {
      const n = start + at
      return {
        user: userId(n),
        tokenHash: hashOf(tokenOf(n)),
        familyHash: hashOf(`family ${n}`),
        refreshHash: hashOf(`refresh ${n}`),
        authenticatedAt: now,
        // None is due to be noted as used meanwhile.
        lastUsedAt: later(dayMs),
        expiresAt: later(7 * dayMs),
        endsAt: later(30 * dayMs),
        revokedAt: null,
        client: { ip: '192.0.2.7', userAgent: 'Mozilla/5.0 (X11; Linux x86_64)' },
        createdAt: now,
        updatedAt: now,
        __v: 0,
      }
    })
    await sessions.insertMany(made, { ordered: false })
  }
}
