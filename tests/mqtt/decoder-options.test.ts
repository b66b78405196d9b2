import { describe, expect, it } from 'vitest'
import { deployedDecoder } from '../../src/mqtt/deployed-decoder.js'
import { meteredDecoder } from '../../src/mqtt/metered-decoder.js'
import { v2Decoder } from '../../src/mqtt/v2-decoder.js'

const refusal = expect.objectContaining({ name: 'DatabaseError', code: 'CONFIGURATION' })

describe('the options of a decoder', () => {
  it.each(['', '/', '+', '#', 'lab/#', 'lab/+/x', '/lab', 'lab/', 'a\0b', 5, null])('have no prefix %j', (prefix) => {
    for (const decoder of [v2Decoder, deployedDecoder])
      expect(() => decoder({ prefix: prefix as string })).toThrow(refusal)
  })

  it.each(['lab', 'site/lab', '{mac}', 'raum 1'])('can have the prefix %j', (prefix) => {
    expect(v2Decoder({ prefix }).filters).toContain(`${prefix}/v2/+/power`)
    expect(deployedDecoder({ prefix }).filters).toContain(`${prefix}/state`)
  })

  it.each(['', '+', 'esp32/+/status', 'esp32/#', '{mac}/{mac}', 'esp32/{mac}-x', 'a\0b', 5])(
    'have no status topic %j',
    (topic) => {
      expect(() => deployedDecoder({ statusTopics: [topic as string] })).toThrow(refusal)
    },
  )

  it.each(['esp32/status', 'esp32/{mac}/status', '{mac}'])('can have the status topic %j', (topic) => {
    expect(deployedDecoder({ statusTopics: [topic] }).filters).toContain(topic.replace('{mac}', '+'))
  })

  it.each(['', 'site/+/telemetry', '#'])('map no topic %j to a device', (topic) => {
    const target = { device: { macAddress: 'AA:BB:CC:DD:EE:01' }, gpio: 16 }
    expect(() => meteredDecoder({ [topic]: target })).toThrow(refusal)
  })
})
