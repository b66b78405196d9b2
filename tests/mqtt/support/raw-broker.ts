import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { cleanUpLater } from '../../support/clean-up.js'
import { freePort } from '../../support/free-port.js'

/** A packet from a client: its type as MQTT 3.1.1 numbers them (section 2.2.1), and what follows its length. */
interface Packet {
  readonly type: number
  readonly body: Buffer
}

export interface RawConnection {
  /** The packet ids that were acknowledged on it. */
  readonly acknowledged: readonly number[]
  send(bytes: Buffer): void
  cut(): void
}

export interface RawBroker {
  readonly url: string
  readonly connections: readonly RawConnection[]
  /** Sent in one piece with the answer to CONNECT. */
  greeting: Buffer
  /** Sent before the answer to PINGREQ, once each. */
  readonly beforePong: Buffer[]
  /** SUBSCRIBE is answered after this. */
  untilSuback: Promise<void>
}

const types = { connect: 1, puback: 4, subscribe: 8, pingreq: 12 }
const connackResumed = Buffer.from([0x20, 2, 1, 0])
const pingresp = Buffer.from([0xd0, 0])

/** A broker that says to the byte what a test wants it to, over real TCP. Packets from clients are shorter than 128 bytes. */
export async function startRawBroker(): Promise<RawBroker> {
  const port = await freePort()
  const sockets = new Set<Socket>()
  const connections: RawConnection[] = []
  const broker = {
    url: `mqtt://127.0.0.1:${port}`,
    connections,
    greeting: Buffer.alloc(0),
    beforePong: [] as Buffer[],
    untilSuback: Promise.resolve(),
  }
  const server = createServer((socket) => {
    sockets.add(socket)
    const acknowledged: number[] = []
    connections.push({ acknowledged, send: (bytes) => socket.write(bytes), cut: () => socket.resetAndDestroy() })
    const answer = ({ type, body }: Packet) => {
      if (type === types.connect) socket.write(Buffer.concat([connackResumed, broker.greeting]))
      if (type === types.subscribe) {
        const suback = Buffer.from([0x90, 3, body[0] ?? 0, body[1] ?? 0, 1])
        void broker.untilSuback.then(() => socket.write(suback))
      }
      if (type === types.puback) acknowledged.push(body.readUInt16BE(0))
      if (type === types.pingreq) socket.write(Buffer.concat([broker.beforePong.shift() ?? Buffer.alloc(0), pingresp]))
    }
    let rest = Buffer.alloc(0)
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      rest = Buffer.concat([rest, bytes])
      for (let end = endOfPacket(rest); end <= rest.length; end = endOfPacket(rest)) {
        answer({ type: (rest[0] ?? 0) >> 4, body: rest.subarray(2, end) })
        rest = rest.subarray(end)
      }
    })
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  cleanUpLater(async () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return broker
}

function endOfPacket(bytes: Buffer): number {
  return bytes.length < 2 ? Number.POSITIVE_INFINITY : 2 + (bytes[1] ?? 0)
}

/** PUBLISH at QoS 1 (MQTT 3.1.1, section 3.3). */
export function publish(packetId: number, payload: string, { isRepeated = false } = {}): Buffer {
  const topic = Buffer.from('t')
  const body = Buffer.concat([Buffer.from([0, topic.length]), topic, Buffer.from([0, packetId]), Buffer.from(payload)])
  return Buffer.concat([Buffer.from([isRepeated ? 0x3a : 0x32, body.length]), body])
}
