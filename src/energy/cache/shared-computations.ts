import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { CacheResult, CacheStore, CacheSubject } from './cache-store.js'

/** What is still at work after this is not waited for any longer: another takes it on. */
const longestComputationMs = 300_000
const shortestPauseMs = 20
const longestPauseMs = 500
/** Of the time that was waited so far: a wait is no more than this much longer than what is waited for. */
const pauseShare = 0.2

/** Computes what is to be stored. */
export type Computation = () => Promise<CacheResult>

type Outcome = { readonly result: CacheResult } | undefined

/**
 * Computes each entry once for everybody who waits for it: in this process by one promise, in others by a claim in the
 * database, which its holder renews and which ends with it.
 */
export class SharedComputations {
  readonly #store: CacheStore
  readonly #claimMs: number
  readonly #onStoreError: (error: unknown) => void
  /** Claims that are being asked for, by key. */
  readonly #claiming = new Map<string, Promise<unknown>>()
  /** What is computed here, by claim. */
  readonly #running = new Map<string, Promise<Outcome>>()
  /** Who computes elsewhere and is waited for, by claim. */
  readonly #waiting = new Map<string, Promise<void>>()

  constructor(store: CacheStore, claimMs: number, onStoreError: (error: unknown) => void) {
    this.#store = store
    this.#claimMs = claimMs
    this.#onStoreError = onStoreError
  }

  /** The data of the entry, found, waited for or computed. */
  async get(subject: CacheSubject, compute: Computation): Promise<unknown> {
    for (;;) {
      // Every caller looks for itself: what is under way may have been invalidated before it came.
      const found = await this.#store.find(subject.cacheKey)
      if (found.state === 'ready') return found.data
      if (found.state === 'too large') return (await compute()).data
      const outcome = await (found.state === 'claimed'
        ? this.#join(subject.cacheKey, found.claim)
        : this.#begin(subject, compute))
      if (outcome !== undefined) return outcome.result.data
    }
  }

  /** Waits for the one who computes. @returns the outcome if it was computed here. */
  async #join(cacheKey: string, claim: string): Promise<Outcome> {
    const running = this.#running.get(claim)
    if (running !== undefined) return running
    const waiting = this.#waiting.get(claim) ?? this.#untilOver(cacheKey, claim)
    this.#waiting.set(claim, waiting)
    await waiting
    return undefined
  }

  async #untilOver(cacheKey: string, claim: string): Promise<void> {
    const startedMs = performance.now()
    try {
      do {
        const waitedMs = performance.now() - startedMs
        await sleep(Math.min(Math.max(waitedMs * pauseShare, shortestPauseMs), longestPauseMs) * (0.5 + Math.random()))
      } while (await this.#store.isClaimed(cacheKey, claim))
    } finally {
      this.#waiting.delete(claim)
    }
  }

  /** Claims the entry and computes it. @returns undefined if another was first. */
  async #begin(subject: CacheSubject, compute: Computation): Promise<Outcome> {
    const claiming = this.#claiming.get(subject.cacheKey)
    if (claiming !== undefined) {
      await claiming.catch(() => undefined)
      return undefined
    }
    const claim = randomUUID()
    const running = this.#claimAndCompute(subject, claim, compute)
    // Before the claim can be seen, so that everybody here knows whose it is.
    this.#running.set(claim, running)
    try {
      return await running
    } finally {
      this.#running.delete(claim)
    }
  }

  async #claimAndCompute(subject: CacheSubject, claim: string, compute: Computation): Promise<Outcome> {
    const { cacheKey } = subject
    const claiming = this.#store.claim(subject, claim)
    this.#claiming.set(cacheKey, claiming)
    try {
      if (!(await claiming)) return undefined
    } finally {
      this.#claiming.delete(cacheKey)
    }
    const stopRenewing = this.#renew(cacheKey, claim)
    try {
      const result = await compute()
      await this.#store.fill(cacheKey, claim, result).catch(this.#onStoreError)
      return { result }
    } catch (error) {
      await this.#store.release(cacheKey, claim).catch(() => undefined)
      throw error
    } finally {
      stopRenewing()
    }
  }

  /** @returns a function that stops it. */
  #renew(cacheKey: string, claim: string): () => void {
    const startedMs = performance.now()
    const timer = setInterval(() => {
      if (performance.now() - startedMs > longestComputationMs) return clearInterval(timer)
      this.#store.renew(cacheKey, claim).then(
        (isHeld) => {
          if (!isHeld) clearInterval(timer)
        },
        () => undefined,
      )
    }, this.#claimMs / 3)
    return () => clearInterval(timer)
  }
}
