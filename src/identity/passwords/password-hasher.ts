import { BusyError, DatabaseError, ValidationError } from '../../core/errors.js'
import type { SecretHasher } from '../../core/secret-hasher.js'
import { bcryptHash, roundsOf } from './bcrypt-hash.js'
import { isCommonPassword } from './common-passwords.js'
import { type HashingJob, HashingThread } from './hashing-thread.js'
import { isHashable, lengthOf } from './password.js'
import { type PasswordOptions, passwordOptionsOf } from './password-options.js'

interface Queued {
  readonly job: HashingJob
  readonly sinceMs: number
  readonly resolve: (result: string | boolean) => void
  readonly reject: (error: unknown) => void
}

/** Hashes and compares passwords with bcrypt, one at a time in a thread of its own; how many may wait is bounded. */
export class PasswordHasher implements SecretHasher {
  readonly #options: ReturnType<typeof passwordOptionsOf>
  readonly #thread = new HashingThread()
  readonly #queue: Queued[] = []
  #isRunning = false
  #isClosed = false
  #lastJobMs = 0

  /** @throws DatabaseError `CONFIGURATION` for options that cannot be used. */
  constructor(options?: PasswordOptions) {
    this.#options = passwordOptionsOf(options)
  }

  async hash(plain: string): Promise<string> {
    await this.#requireAllowed(plain)
    return this.renew(plain)
  }

  async renew(plain: string): Promise<string> {
    return String(await this.#run({ hash: plain, rounds: this.#options.rounds }))
  }

  async verify(plain: unknown, hash: string | undefined): Promise<boolean> {
    const { rounds } = this.#options
    const isPossible = isHashable(plain)
    // Work for nothing, as much as for a password that could be right.
    const known = isPossible && hash !== undefined && bcryptHash.test(hash) ? hash : undefined
    return (await this.#run({ compare: isPossible ? plain : 'nobody', with: known, rounds })) === true
  }

  isCurrent(hash: string): boolean {
    return hash.startsWith('$2b$') && roundsOf(hash) >= this.#options.rounds
  }

  /** Ends the thread; what waits is refused with `CLOSED`. */
  async close(): Promise<void> {
    this.#isClosed = true
    for (const { reject } of this.#queue.splice(0)) reject(closed())
    await this.#thread.stop()
  }

  /** What a new password has to be beside what its field's schema says, as the host has chosen. */
  async #requireAllowed(plain: string): Promise<void> {
    const { minimumLength, isBlocked } = this.#options
    if (lengthOf(plain) < minimumLength) throw refusal(`expected at least ${minimumLength} characters`)
    if (isCommonPassword(plain) || (await isBlocked?.(plain)) === true) throw refusal('is too well known to be used')
  }

  #run(job: HashingJob): Promise<string | boolean> {
    if (this.#isClosed) return Promise.reject(closed())
    if (this.#queue.length >= this.#options.maximumWaiting) return Promise.reject(this.#busy())
    return new Promise((resolve, reject) => {
      this.#queue.push({ job, sinceMs: performance.now(), resolve, reject })
      void this.#work()
    })
  }

  /** Does what waits, the oldest first. */
  async #work(): Promise<void> {
    if (this.#isRunning) return
    this.#isRunning = true
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const startedMs = performance.now()
      if (startedMs - next.sinceMs > this.#options.maximumWaitMs) {
        next.reject(this.#busy())
        continue
      }
      await this.#thread.run(next.job).then(next.resolve, next.reject)
      this.#lastJobMs = performance.now() - startedMs
    }
    this.#isRunning = false
  }

  #busy(): BusyError {
    const waitMs = Math.ceil(this.#lastJobMs * (this.#queue.length + 1))
    return new BusyError('Too many passwords wait to be hashed or compared', waitMs)
  }
}

function closed(): DatabaseError {
  return new DatabaseError('CLOSED', 'The handle is closed')
}

function refusal(message: string): ValidationError {
  return new ValidationError('The password', [{ path: 'password', message, received: 'string' }])
}
