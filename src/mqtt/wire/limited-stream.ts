import { Duplex } from 'node:stream'
import { PacketLimiter, type PacketLimits } from './packet-limiter.js'

/** A connection to a broker whose packets are cut, as {@link PacketLimiter} does, before anything else reads them. */
export class LimitedStream extends Duplex {
  readonly #connection: Duplex

  constructor(connection: Duplex, limits: PacketLimits) {
    super({ allowHalfOpen: false })
    this.#connection = connection
    const limiter = new PacketLimiter(limits)
    connection.on('data', (piece: Buffer) => {
      let hasRoom = true
      for (const bytes of limiter.take(piece)) hasRoom = this.push(bytes)
      if (!hasRoom) connection.pause()
    })
    connection.on('end', () => this.push(null))
    connection.on('error', (error: Error) => this.destroy(error))
    connection.on('close', () => this.destroy())
    connection.pause()
  }

  override _read(): void {
    this.#connection.resume()
  }

  override _write(bytes: Buffer, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#connection.write(bytes, encoding, done)
  }

  override _writev(pieces: { readonly chunk: Buffer }[], done: (error?: Error | null) => void): void {
    this.#connection.write(Buffer.concat(pieces.map(({ chunk }) => chunk)), done)
  }

  override _final(done: () => void): void {
    this.#connection.end(done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#connection.destroy()
    done(error)
  }
}
