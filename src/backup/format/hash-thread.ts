import { createHash } from 'node:crypto'
import { Worker } from 'node:worker_threads'

/** Runs in the thread. A text: no file of its own has to be found, however the package is bundled. */
const program = `
const { createHash } = require('node:crypto')
const { parentPort } = require('node:worker_threads')
const hashes = new Map()
parentPort.on('message', ({ id, bytes }) => {
  const hash = hashes.get(id) ?? createHash('sha256')
  hashes.delete(id)
  if (bytes === undefined) return parentPort.postMessage({ id, digest: hash.digest('hex') })
  hashes.set(id, hash.update(bytes))
  parentPort.postMessage({ id })
})`

interface Reply {
  readonly id: number
  readonly digest?: string
}

const idleMs = 1000

/** A thread that hashes, as long as somebody needs it. */
class HashThread {
  readonly #worker = new Worker(program, { eval: true })
  readonly #waiting = new Map<number, (reply: Reply | Error) => void>()
  #failure: Error | undefined

  constructor() {
    // It keeps no process alive.
    this.#worker.unref()
    this.#worker.on('message', (reply: Reply) => this.#waiting.get(reply.id)?.(reply))
    this.#worker.on('error', (error: Error) => this.#fail(error))
    this.#worker.on('exit', () => this.#fail(new Error('the thread that hashes has ended')))
  }

  listen(id: number, onReply: (reply: Reply | Error) => void): void {
    this.#waiting.set(id, onReply)
    if (this.#failure !== undefined) onReply(this.#failure)
  }

  forget(id: number): void {
    this.#waiting.delete(id)
  }

  post(id: number, bytes?: Uint8Array<ArrayBuffer>): void {
    this.#worker.postMessage(bytes === undefined ? { id } : { id, bytes }, bytes === undefined ? [] : [bytes.buffer])
  }

  end(): void {
    void this.#worker.terminate()
  }

  #fail(error: Error): void {
    this.#failure = error
    for (const onReply of this.#waiting.values()) onReply(error)
  }
}

let thread: HashThread | undefined
let users = 0
let nextId = 0
let idle: NodeJS.Timeout | undefined

function enter(): HashThread {
  clearTimeout(idle)
  users += 1
  thread ??= new HashThread()
  return thread
}

function leave(): void {
  users -= 1
  if (users > 0) return
  idle = setTimeout(() => {
    thread?.end()
    thread = undefined
  }, idleMs)
  idle.unref()
}

/** So many chunks may be under way before the next one waits. */
const chunksAtOnce = 4

/** A SHA-256 that another thread computes. What comes in one chunk is not worth that, and is hashed at once. */
export class BackgroundHash implements Disposable {
  #first: Uint8Array | undefined
  #remote: RemoteHash | undefined

  /** Takes a copy. Resolves when the next chunk may come. */
  async update(chunk: Uint8Array): Promise<void> {
    if (this.#remote === undefined && this.#first === undefined) {
      this.#first = new Uint8Array(chunk)
      return
    }
    this.#remote ??= new RemoteHash(this.#first)
    await this.#remote.update(chunk)
  }

  /** In hexadecimal. */
  async digest(): Promise<string> {
    if (this.#remote !== undefined) return this.#remote.digest()
    return createHash('sha256')
      .update(this.#first ?? new Uint8Array())
      .digest('hex')
  }

  [Symbol.dispose](): void {
    this.#remote?.release()
  }
}

class RemoteHash {
  readonly #thread = enter()
  readonly #id: number
  #underWay = 0
  #failure: Error | undefined
  #digest: string | undefined
  #wake: (() => void) | undefined

  constructor(first: Uint8Array | undefined) {
    nextId += 1
    this.#id = nextId
    this.#thread.listen(this.#id, (reply) => this.#take(reply))
    if (first !== undefined) this.#send(first)
  }

  async update(chunk: Uint8Array): Promise<void> {
    this.#send(chunk)
    await this.#until(() => this.#underWay < chunksAtOnce)
  }

  async digest(): Promise<string> {
    this.#thread.post(this.#id)
    await this.#until(() => this.#digest !== undefined)
    return this.#digest ?? ''
  }

  release(): void {
    this.#thread.forget(this.#id)
    leave()
  }

  #send(chunk: Uint8Array): void {
    this.#underWay += 1
    this.#thread.post(this.#id, new Uint8Array(chunk))
  }

  #take(reply: Reply | Error): void {
    if (reply instanceof Error) this.#failure = reply
    else if (reply.digest === undefined) this.#underWay -= 1
    else this.#digest = reply.digest
    this.#wake?.()
  }

  async #until(isReached: () => boolean): Promise<void> {
    while (!isReached() && this.#failure === undefined)
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    if (this.#failure !== undefined) throw this.#failure
  }
}
