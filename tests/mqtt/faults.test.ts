import { expect, it } from 'vitest'
import { Faults, latest } from '../../src/mqtt/faults.js'
import { SettableClock } from '../support/settable-clock.js'

function openFaults() {
  const log: string[] = []
  const say = (level: string) => (fields: Readonly<Record<string, unknown>>, message: string) =>
    void log.push(`${level} ${message} ${fields.reason ?? ''}`.trim())
  const logger = { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') }
  const clock = new SettableClock()
  return { faults: new Faults(clock, logger, 'autovolt-main'), clock, log }
}

it('knows what was met last of all that is still wrong', () => {
  const { faults, clock } = openFaults()
  expect(faults.last).toBeNull()
  faults.met('broker', new Error('no answer'))
  clock.advance(1_000)
  faults.met('database', new Error('no primary'))
  expect(faults.last).toMatchObject({ message: 'no primary', at: expect.any(Date) })
  faults.resolved('database')
  expect(faults.last).toMatchObject({ message: 'no answer' })
  faults.resolved('broker')
  expect(faults.last).toBeNull()
})

it('logs what begins, what changes and what is over, each once, and by where it lies', () => {
  const { faults, log } = openFaults()
  for (const text of ['no answer', 'no answer', 'refused']) faults.met('broker', new Error(text))
  faults.met('database', new Error('no primary'))
  for (const place of ['broker', 'broker', 'database', 'lease'] as const) faults.resolved(place)
  expect(log).toEqual([
    'error the MQTT broker cannot be used no answer',
    'error the MQTT broker cannot be used refused',
    'error messages could not be stored no primary',
    'info over: the MQTT broker cannot be used',
    'info over: messages could not be stored',
  ])
})

it('shows no credentials, and finds words for errors that have none', () => {
  const { faults } = openFaults()
  faults.met('broker', new Error('cannot reach mqtt://admin:hunter2@broker'))
  expect(faults.last?.message).toBe('cannot reach mqtt://***@broker')
  faults.met('broker', Object.assign(new AggregateError([]), { code: 'ECONNREFUSED' }))
  expect(faults.last?.message).toBe('ECONNREFUSED')
  faults.met('broker', 'mongodb://a:b@c')
  expect(faults.last?.message).toBe('mongodb://***@c')
})

it('compares the faults of several', () => {
  const [earlier, later] = [1, 2].map((ms) => ({ message: String(ms), at: new Date(ms) }))
  expect(latest([null, later, undefined, earlier])).toBe(later)
  expect(latest([])).toBeNull()
})
