import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { shownPayload } from '../../src/ingestion/shown-payload.js'

const shown = (payload: object | string) =>
  shownPayload(Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)))

describe('a payload as people see it', () => {
  it('keeps what is known, in its place, of its kind', () => {
    const event = { mac: 'aa-bb-cc-dd-ee-01', type: 'switch_event', gpio: 16, state: true, source: 'backend' }
    expect(shown(event)).toBe(JSON.stringify(event))
    const snapshot = { mac: 'AABBCCDDEE01', switches: [{ gpio: 16, state: true, manual_override: false }] }
    expect(shown(snapshot)).toBe(JSON.stringify(snapshot))
    expect(shown({ id: '17-205', time: 8, gpio: 1, powerW: -61.5 })).toBe(
      '{"id":"***","time":"***","gpio":1,"powerW":"***"}',
    )
    expect(shown('{ "status" : "heartbeat" , "uptime" : 812345 }')).toBe('{"status":"heartbeat","uptime":"***"}')
  })

  it.each(['online', 'offline', 'online\0'])('is %j where that is all', (text) =>
    expect(shown(text)).toBe(text.replace('\0', '')),
  )

  it.each(['hunter2', '', '"hunter2"', '12345678', 'online hunter2'])('says only how long %j is', (text) =>
    expect(shown(text)).toBe(`${text.length} bytes that are not JSON`),
  )

  const secret = 'Hunter2-and-more'
  it.each([
    ['a secret', { secret }],
    ['a number', { secret: 4815162342 }],
    ['true as a secret', { secret: true }],
    ['a secret in a list', { secret: ['a', secret, 4815162342] }],
    ['a secret in an object', { secret: { mac: 'AA:BB:CC:DD:EE:01', gpio: 16, switches: [{ gpio: 17 }] } }],
    ['a known name elsewhere', { credentials: { timestamp: 4815162342 } }],
    ['a known name in a list', { switches: [[{ gpio: 16 }]] }],
    ['a known name of a message in a relay', { switches: [{ timestamp: 4815162342, id: '4815-162342' }] }],
    ['a list of texts as relays', { switches: [secret, 4815162342] }],
    ['an object as relays', { switches: { gpio: 16, state: true } }],
    ['a name', { [secret]: 1 }],
    ['a name in a relay', { switches: [{ [secret]: 1 }] }],
    ...[
      'mac',
      'type',
      'gpio',
      'state',
      'source',
      'cause',
      'status',
      'time',
      'timestamp',
      'firmware',
      'boot',
      'id',
      'seq',
    ].map((name): [string, object] => [`a text as ${name}`, { [name]: secret }]),
    ...['userId', 'userName', 'esp32_name', 'classroom', 'device_id'].map((name): [string, object] => [
      `a text as ${name}`,
      { [name]: secret },
    ]),
    ...[
      ...['time', 'timestamp', 'heap', 'uptime', 'uptimeMs', 'seq', 'sequence_no', 'run', 'connection', 'powerW'],
      ...['energyWh', 'voltageV', 'power_w', 'energy_wh_total', 'free_heap', 'rssiDbm', 'id', 'boot', 'currentA'],
    ].map((name): [string, object] => [`a number as ${name}`, { [name]: 4815162342 }]),
    ['a secret like a count', { id: '481516-2342481516' }],
    ['a secret like a version', { firmware: '48.15.162.342' }],
    ['a secret like a time', { time: '4815-16-23T42:48:15Z', timestamp: '4815-12-16 23:42:10Z' }],
    ['a pin that is written with many digits', `{"gpio":16.${'0'.repeat(20)}4815162342e0}`],
    ['a number as a state', { state: 4815162342 }],
    ['a number as a pin', { gpio: 4815162342 }],
    ['a long number as a time', `{"time":${'4815162342'.repeat(5)}}`],
    ['a long number as an identity', { id: '4815162342-4815162342' }],
    ['the names of switches', { switch_state: { [secret]: true, '4815162342': false } }],
    ['a name in other letters', `{"\\u0073ecret":"${secret}"}`],
    ['a secret twice', `{"secret":1,"secret":"${secret}"}`],
    ['a list as a message', [{ secret }, { gpio: 4815162342 }]],
    ['a secret that was cut', `{"mac":"AA:BB:CC:DD:EE:01","secret":"${secret}`],
    ['a name that was cut', `{"gpio":16,"${secret}`],
    ['a number that was cut', '{"secret":4815162342'],
    ['what follows the JSON', `{"gpio":16}${secret}`],
    ['what is no JSON', `{"gpio":16,${secret}`],
    ['what follows a NUL', `{"gpio":16}\0{"secret":"${secret}"}`],
  ])('does not show %s', (_, payload) => {
    expect(shown(payload)).not.toMatch(/hunter2|4815|162342/i)
  })

  it('shows no more of what is not known than that it is there', () => {
    expect(shown({ secret: { a: [1, 2, { b: 3 }] }, gpio: 16 })).toBe('{"secret":"***","gpio":16}')
    expect(shown('{"gpio":16,"x":1}}')).toBe('{"gpio":16,"***":"***"}…')
    expect(shown('{"gpio":16,"secret":"abc')).toBe('{"gpio":16,"secret":"***"')
  })

  it('shows no text or number of a message whose names are not known, cut anywhere', () => {
    const leaf = fc.oneof(fc.stringMatching(/^[a-z]{6,20}$/), fc.integer({ min: 1000, max: 2 ** 40 }))
    const value = fc.letrec((tie) => ({
      any: fc.oneof(
        { maxDepth: 3 },
        leaf,
        fc.array(tie('any')),
        fc.dictionary(fc.stringMatching(/^[f-z]{5}$/), tie('any')),
      ),
    })).any
    fc.assert(
      fc.property(fc.dictionary(fc.stringMatching(/^[f-z]{5}$/), value), fc.nat(), (message, at) => {
        const text = JSON.stringify(message)
        expect(shown(text.slice(0, 1 + (at % text.length)))).toMatch(/^[{}",:*[\]…]*$/)
      }),
    )
  })

  it('is bounded, whatever comes', () => {
    for (const unit of ['{', '{"gpio":1,', '[', '"', '{"a":[', '\\', '\0'])
      expect(shown(unit.repeat(20_000)).length).toBeLessThanOrEqual(4000)
  })
})
