/** Something that the page shows, read again from time to time. */
export interface Feed {
  readonly name: string
  readonly everyMs: number
  readonly read: () => unknown
}

export interface FeedNews {
  readonly name: string
  /** What was read, as JSON. */
  readonly json: string
}

interface RunningFeed extends Feed {
  json: string | undefined
  timer: NodeJS.Timeout | undefined
  turn: Promise<void>
  isDue: boolean
  hasFailed: boolean
  /** When the reading that is under way began. */
  readingSinceMs: number | undefined
}

/** After a hint that something has changed, more of the kind is waited for this long. */
const settleMs = 120
/** A reading takes milliseconds. */
const patienceMs = 4_000

/** Reads every feed in its own time, and passes on what is new. */
export class LiveFeeds {
  readonly #feeds: ReadonlyMap<string, RunningFeed>
  readonly #onNews: (news: FeedNews) => void
  #isStopped = false

  constructor(feeds: readonly Feed[], onNews: (news: FeedNews) => void) {
    const running = feeds.map((feed) => ({
      ...feed,
      json: undefined,
      timer: undefined,
      turn: Promise.resolve(),
      isDue: false,
      hasFailed: false,
      readingSinceMs: undefined,
    }))
    this.#feeds = new Map(running.map((feed) => [feed.name, feed]))
    this.#onNews = onNews
  }

  start(): void {
    for (const feed of this.#feeds.values()) this.#schedule(feed, 0)
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    for (const { timer } of this.#feeds.values()) clearTimeout(timer)
    await Promise.all([...this.#feeds.values()].map(({ turn }) => turn))
  }

  /** What was read last of a feed, as JSON; undefined if there is no such feed or nothing was read yet. */
  latest(name: string): string | undefined {
    return this.#feeds.get(name)?.json
  }

  /** What was read last of every feed. */
  all(): FeedNews[] {
    return [...this.#feeds.values()].flatMap(({ name, json }) => (json === undefined ? [] : { name, json }))
  }

  /** Whether something could not be read when it was tried last, or takes too long. */
  get isFailing(): boolean {
    const tooLongMs = performance.now() - patienceMs
    return [...this.#feeds.values()].some(
      ({ hasFailed, readingSinceMs }) => hasFailed || (readingSinceMs ?? Number.POSITIVE_INFINITY) < tooLongMs,
    )
  }

  /** Says that something has changed: the feed is read soon, once for many hints. */
  hint(name: string): void {
    const feed = this.#feeds.get(name)
    if (feed === undefined || feed.isDue) return
    feed.isDue = true
    this.#schedule(feed, settleMs)
  }

  /** Reads the feed now. */
  refresh(name: string): Promise<void> {
    const feed = this.#feeds.get(name)
    return feed === undefined ? Promise.resolve() : this.#read(feed)
  }

  #schedule(feed: RunningFeed, afterMs: number): void {
    clearTimeout(feed.timer)
    if (this.#isStopped) return
    feed.timer = setTimeout(() => {
      void this.#read(feed).then(() => {
        if (!feed.isDue) this.#schedule(feed, feed.everyMs)
      })
    }, afterMs)
  }

  /** One reading after the other. */
  #read(feed: RunningFeed): Promise<void> {
    feed.turn = feed.turn.then(async () => {
      if (this.#isStopped) return
      feed.isDue = false
      feed.readingSinceMs = performance.now()
      try {
        const json = JSON.stringify(await feed.read())
        feed.hasFailed = false
        if (json === feed.json) return
        feed.json = json
        this.#onNews({ name: feed.name, json })
      } catch {
        // It is tried again in its time; until then the page says so.
        feed.hasFailed = true
      } finally {
        feed.readingSinceMs = undefined
      }
    })
    return feed.turn
  }
}
