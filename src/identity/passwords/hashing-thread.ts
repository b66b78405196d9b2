import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import { DatabaseError } from '../../core/errors.js'

/** What the thread does: a hash, or a comparison that takes the work of a hash of so many rounds however it ends. */
export type HashingJob =
  | { readonly hash: string; readonly rounds: number }
  | { readonly compare: string; readonly with: string | undefined; readonly rounds: number }

/**
 * The thread's program, as a text: a file beside the bundle would have another place in the sources, in tests and in a
 * host's own bundle. A failed comparison with a hash of fewer rounds is followed by hashes that make up for the difference:
 * 2^r + 2^r + 2^(r+1) + ... + 2^(t-1) = 2^t.
 */
const program = `
const { parentPort, workerData } = require('node:worker_threads')
const { compareSync, hashSync } = require(workerData)
parentPort.on('message', (job) => {
  try {
    parentPort.postMessage({ result: run(job) })
  } catch (error) {
    parentPort.postMessage({ failure: String(error && error.message) })
  }
})
function run(job) {
  if ('hash' in job) return hashSync(job.hash, job.rounds)
  if (job.with === undefined) return hashSync(job.compare, job.rounds) === ''
  if (compareSync(job.compare, job.with)) return true
  for (let rounds = Number(job.with.slice(4, 6)); rounds < job.rounds; rounds += 1) hashSync(job.compare, rounds)
  return false
}
`

interface Waiting {
  readonly resolve: (result: string | boolean) => void
  readonly reject: (error: Error) => void
}

/** A thread that hashes passwords, one after the other, so that the event loop goes on. It does not keep a process alive. */
export class HashingThread {
  #worker: Worker | undefined
  #waiting: Waiting | undefined

  /** To be called again only once the last job has ended. */
  run(job: HashingJob): Promise<string | boolean> {
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
      this.#worker ??= this.#start()
      this.#worker.ref()
      this.#worker.postMessage(job)
    })
  }

  async stop(): Promise<void> {
    const worker = this.#worker
    this.#worker = undefined
    this.#settle()?.reject(new DatabaseError('CLOSED', 'The handle was closed meanwhile'))
    await worker?.terminate()
  }

  #start(): Worker {
    const worker = new Worker(program, { eval: true, workerData: createRequire(import.meta.url).resolve('bcryptjs') })
    worker.on('message', ({ result, failure }: { readonly result: string | boolean; readonly failure?: string }) => {
      worker.unref()
      const waiting = this.#settle()
      if (failure === undefined) waiting?.resolve(result)
      else waiting?.reject(hashingFailed(failure))
    })
    worker.on('error', (error) => this.#lose(worker, error.message))
    worker.on('exit', (code) => this.#lose(worker, `it ended with code ${code}`))
    return worker
  }

  /** The next job starts another thread. */
  #lose(worker: Worker, reason: string): void {
    if (this.#worker !== worker) return
    this.#worker = undefined
    this.#settle()?.reject(hashingFailed(reason))
  }

  #settle(): Waiting | undefined {
    const waiting = this.#waiting
    this.#waiting = undefined
    return waiting
  }
}

function hashingFailed(reason: string): DatabaseError {
  return new DatabaseError('DATABASE', `The thread that hashes passwords failed: ${reason}`)
}
