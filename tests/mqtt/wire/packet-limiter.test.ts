import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { PacketLimiter, readCutPayload } from '../../../src/mqtt/wire/packet-limiter.js'

const payloadBytes = 100

interface Packet {
  readonly first: number
  readonly head: Buffer
  readonly payload: Buffer
}

function lengthOf(value: number): Buffer {
  const digits = [value % 128]
  for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) {
    digits[digits.length - 1]! |= 0x80
    digits.push(rest % 128)
  }
  return Buffer.from(digits)
}

const bytesOf = ({ first, head, payload }: Packet) =>
  Buffer.concat([Buffer.from([first]), lengthOf(head.length + payload.length), head, payload])

function publish(
  topic: string,
  payload: Buffer,
  { qos = 1, properties = undefined as Buffer | undefined } = {},
): Packet {
  const name = Buffer.from(topic)
  const id = qos === 0 ? Buffer.alloc(0) : Buffer.from([0, 7])
  const more = properties === undefined ? Buffer.alloc(0) : Buffer.concat([lengthOf(properties.length), properties])
  return { first: 0x30 | (qos << 1), head: Buffer.concat([Buffer.from([0, name.length]), name, id, more]), payload }
}

const suback: Packet = { first: 0x90, head: Buffer.alloc(0), payload: Buffer.from([0, 1, 1]) }

/** The packet as it goes on: whole, or with the beginning of its payload, the length and the digest. */
function expected(packet: Packet, topic: string): Buffer {
  if (packet.first >> 4 !== 3 || packet.payload.length <= payloadBytes) return bytesOf(packet)
  const trailer = Buffer.alloc(36)
  trailer.writeUInt32BE(packet.payload.length)
  createHash('sha256').update(`${topic}\0`).update(packet.payload).digest().copy(trailer, 4)
  return bytesOf({ ...packet, payload: Buffer.concat([packet.payload.subarray(0, payloadBytes), trailer]) })
}

/** Cuts the bytes into pieces of these lengths, again and again. */
function* pieces(bytes: Buffer, lengths: readonly number[]): Generator<Buffer> {
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const length = lengths[turn % lengths.length] ?? 1
    yield bytes.subarray(at, at + length)
    at += length
  }
}

it.each([3.1, 5])('cuts payloads that are too large, whatever pieces a connection of MQTT %s gives', (version) => {
  const properties = version === 5 ? Buffer.from([0x26, 0, 1, 65, 0, 1, 66]) : undefined
  const one = fc.record({
    topic: fc.constantFrom('t', 'esp32/state', 'a'.repeat(90)),
    length: fc.oneof(fc.nat(3), fc.integer({ min: 90, max: 110 }), fc.integer({ min: 100, max: 700 })),
    qos: fc.constantFrom(0, 1),
  })
  const lengths = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 6 })
  fc.assert(
    fc.property(fc.array(one, { maxLength: 6 }), lengths, (messages, sizes) => {
      const packets = messages.map(({ topic, length, qos }) => ({
        topic,
        packet: publish(topic, Buffer.alloc(length, 'x'), { qos, properties }),
      }))
      const sent = Buffer.concat([...packets.map(({ packet }) => bytesOf(packet)), bytesOf(suback)])
      const limiter = new PacketLimiter({ payloadBytes, hasProperties: version === 5 })
      const passed = Buffer.concat([...pieces(sent, sizes)].flatMap((piece) => limiter.take(piece)))
      const through = [...packets.map(({ packet, topic }) => expected(packet, topic)), bytesOf(suback)]
      expect(passed).toEqual(Buffer.concat(through))
    }),
  )
})

it('keeps nothing of the largest packet that MQTT allows but its beginning', () => {
  const limiter = new PacketLimiter({ payloadBytes: 65_536, hasProperties: false })
  const rest = 2 ** 28 - 1 - 6
  const hash = createHash('sha256').update('ab\0')
  let passed: Buffer[] = limiter.take(Buffer.from([0x32, 0xff, 0xff, 0xff, 0x7f, 0, 2, 97, 98, 0, 7]))
  const piece = Buffer.alloc(65_536, 'x')
  for (let sent = 0; sent < rest; sent += piece.length) {
    expect(passed).toEqual([])
    const some = piece.subarray(0, rest - sent)
    hash.update(some)
    passed = limiter.take(some)
  }
  const [packet = Buffer.alloc(0)] = passed
  const cut = readCutPayload(packet.subarray(4 + 6), { payloadBytes: 65_536 })
  expect(cut).toMatchObject({ payloadBytes: rest, digest: hash.digest('hex') })
  expect(cut?.beginning.equals(piece)).toBe(true)
})

it('takes properties that are too large for a part of what is cut', () => {
  const limiter = new PacketLimiter({ payloadBytes: 100, hasProperties: true })
  const passed = Buffer.concat(
    limiter.take(bytesOf(publish('t', Buffer.from('x'), { properties: Buffer.alloc(70_000) }))),
  )
  const bodyAt = 3
  expect(passed.subarray(bodyAt, bodyAt + 6)).toEqual(Buffer.from([0, 1, 116, 0, 7, 0]))
  expect(readCutPayload(passed.subarray(bodyAt + 6), { payloadBytes: 100 })).toMatchObject({ payloadBytes: 70_001 })
})
