import { once } from 'node:events'
import { createServer, type Server, type Socket } from 'node:net'
import { Aedes, type AedesOptions } from 'aedes'
import { cleanUpLater } from './clean-up.js'
import { freePort } from './free-port.js'

export interface AedesBroker extends AsyncDisposable {
  /** Such as `mqtt://127.0.0.1:41883`. */
  readonly url: string
  readonly port: number
  readonly broker: Aedes
  /** Cuts every connection and refuses new ones; sessions and queued messages stay. */
  goOffline(): Promise<void>
  goOnline(): Promise<void>
  stop(): Promise<void>
}

/** An aedes broker over real TCP on a free port. Stopped at the end of the test. */
export async function startAedes(options: AedesOptions = {}): Promise<AedesBroker> {
  const broker = await Aedes.createBroker(options)
  const port = await freePort()
  const sockets = new Set<Socket>()
  let server: Server | undefined

  const goOnline = async () => {
    server = createServer((socket) => {
      sockets.add(socket)
      socket.once('close', () => sockets.delete(socket))
      broker.handle(socket)
    })
    server.listen(port, '127.0.0.1')
    await once(server, 'listening')
  }
  const goOffline = async () => {
    if (server === undefined) return
    const closed = once(server, 'close')
    server.close()
    server = undefined
    for (const socket of sockets) socket.destroy()
    await closed
  }
  const stop = async () => {
    await goOffline()
    if (!broker.closed) await new Promise<void>((resolve) => broker.close(resolve))
  }
  cleanUpLater(stop)
  await goOnline()
  return { url: `mqtt://127.0.0.1:${port}`, port, broker, goOffline, goOnline, stop, [Symbol.asyncDispose]: stop }
}
