import { monitorEventLoopDelay } from 'node:perf_hooks'
import { type AutoVolt, DatabaseError } from '@autovolt/data'
import { type GroupContext, type Row, secondsOf, valueRow } from '../harness.js'

const atOnce = 200
const healthEveryMs = 100

/** 200 sign-ins at once, at 12 rounds: how long the event loop is held, and how long `health()` takes meanwhile. */
export async function benchSignIns(volt: AutoVolt, { say }: GroupContext): Promise<Row[]> {
  say('people: 200 sign-ins at once')
  const [email, password] = ['many@bench.example', 'correct horse']
  await volt.users.create({ email, name: 'Many', password })
  const delay = monitorEventLoopDelay({ resolution: 5 })
  let slowestHealthMs = 0
  delay.enable()
  const seconds = await secondsOf(async () => {
    const asking = setInterval(async () => {
      const startedMs = performance.now()
      await volt.health()
      slowestHealthMs = Math.max(slowestHealthMs, performance.now() - startedMs)
    }, healthEveryMs)
    const signIns = Array.from({ length: atOnce }, () => volt.signIn.withPassword(email, password))
    const ends = await Promise.all(signIns.map((signIn) => signIn.then(() => 'in', codeOf)))
    clearInterval(asking)
    const refused = ends.filter((end) => end !== 'in')
    // Who has waited for too long is told when to come again.
    if (refused.some((code) => code !== 'BUSY')) throw new Error(`Sign-ins ended with ${[...new Set(refused)]}`)
    if (refused.length > 0) say(`people: ${refused.length} were told to come again later`)
  })
  delay.disable()
  say(`people: they took ${seconds.toFixed(1)} s`)
  return [
    valueRow('sign-ins.event-loop-held', 'ms', { value: delay.max / 1e6 }, { atMost: 100 }),
    valueRow('sign-ins.health', 'ms', { value: slowestHealthMs }, { atMost: 1000 }),
  ]
}

const codeOf = (error: unknown) => (error instanceof DatabaseError ? error.code : String(error))
