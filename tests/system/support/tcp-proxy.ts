import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { cleanUpLater } from '../../support/clean-up.js'
import { freePort } from '../../support/free-port.js'

export interface TcpProxy {
  /** Such as `mqtt://127.0.0.1:41884`. */
  readonly url: string
  /** How many connections were made so far. */
  readonly connections: number
  /** Whatever is sent on the present connections gets nowhere, in either direction, though they stay open. */
  freeze(): void
  /** What clients send on the present connections gets nowhere; what they are sent does. */
  swallow(): void
  /** Resets the present connections. */
  cut(): void
}

interface Link {
  readonly client: Socket
  readonly server: Socket
  isDeaf: boolean
  isMute: boolean
}

/** A network between a client and a server on this machine, that can be made as bad as real ones. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const port = await freePort()
  const links = new Set<Link>()
  let connections = 0
  const listener = createServer((client) => {
    connections += 1
    const link: Link = { client, server: connect(targetPort, '127.0.0.1'), isDeaf: false, isMute: false }
    links.add(link)
    const end = () => {
      links.delete(link)
      // A connection that is half open does not tell either side of the other's end.
      if (!link.isDeaf) link.client.destroy()
      if (!link.isMute) link.server.destroy()
    }
    client.on('data', (bytes) => link.isMute || link.server.write(bytes))
    link.server.on('data', (bytes) => link.isDeaf || client.write(bytes))
    for (const socket of [client, link.server]) socket.on('error', () => undefined).on('close', end)
  })
  listener.listen(port, '127.0.0.1')
  await once(listener, 'listening')
  const sockets = () => [...links].flatMap(({ client, server }) => [client, server])
  cleanUpLater(async () => {
    listener.close()
    for (const socket of sockets()) socket.destroy()
  })
  return {
    url: `mqtt://127.0.0.1:${port}`,
    get connections() {
      return connections
    },
    freeze: () => {
      for (const link of links) Object.assign(link, { isDeaf: true, isMute: true })
    },
    swallow: () => {
      for (const link of links) link.isMute = true
    },
    cut: () => {
      for (const socket of sockets()) socket.resetAndDestroy()
    },
  }
}
