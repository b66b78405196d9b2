interface Syncs {
  /** The one that runs. It may have begun too early for who asks now. */
  running: Promise<void>
  /** The one that begins after it, for all who ask meanwhile. */
  next: Promise<void> | undefined
}

/**
 * Syncs of a place that many ask for at once: each is answered by one that began after it was asked for, and those who wait
 * share it, as a database's group commit does.
 */
export class SharedSync {
  readonly #sync: (place: string) => Promise<void>
  readonly #places = new Map<string, Syncs>()

  constructor(sync: (place: string) => Promise<void>) {
    this.#sync = sync
  }

  /** Resolves when the place was synced by a call that began after this one. @throws what that call threw. */
  after(place: string): Promise<void> {
    const syncs = this.#places.get(place)
    if (syncs === undefined) return this.#run(place)
    syncs.next ??= syncs.running.then(
      () => this.#run(place),
      () => this.#run(place),
    )
    return syncs.next
  }

  #run(place: string): Promise<void> {
    const running = this.#sync(place)
    const syncs: Syncs = { running, next: undefined }
    this.#places.set(place, syncs)
    const forget = () => {
      if (syncs.next === undefined) this.#places.delete(place)
    }
    running.then(forget, forget)
    return running
  }
}
