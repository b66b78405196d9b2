import type { ServerResponse } from 'node:http'
import type { FeedNews } from '../live-feeds.js'

const keepAliveMs = 15_000
const maximumListeners = 50
/** A page that does not take its news is let go; it comes back by itself and gets everything anew. */
const maximumBacklogBytes = 4 * 1024 * 1024

/** What a page is shown of some news; undefined for what is not for it. */
export type Show = (news: FeedNews) => Promise<FeedNews | undefined>

interface Listener {
  readonly show: Show
  turn: Promise<void>
}

/** The pages that listen for news, over server-sent events. */
export class EventStream {
  readonly #listeners = new Map<ServerResponse, Listener>()
  readonly #keepAlive: NodeJS.Timeout

  constructor() {
    this.#keepAlive = setInterval(() => this.#write(': still here\n\n'), keepAliveMs)
    this.#keepAlive.unref()
  }

  /** Takes a page in, and tells it what the others know already. @returns whether there was room. */
  add(response: ServerResponse, known: readonly FeedNews[], show: Show): boolean {
    if (this.#listeners.size >= maximumListeners) return false
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.write('retry: 1000\n\n')
    this.#listeners.set(response, { show, turn: Promise.resolve() })
    response.once('close', () => this.#listeners.delete(response))
    for (const news of known) this.#show(response, news)
    return true
  }

  /** Tells one page what is for its visitor alone. */
  tell(response: ServerResponse, news: FeedNews): void {
    this.#show(response, news)
  }

  send(news: FeedNews): void {
    for (const listener of this.#listeners.keys()) this.#show(listener, news)
  }

  /** Each page gets its news in their order. What cannot be shown now is shown with the next news of its kind. */
  #show(response: ServerResponse, news: FeedNews): void {
    const listener = this.#listeners.get(response)
    if (listener === undefined) return
    listener.turn = listener.turn
      .then(async () => {
        const shown = await listener.show(news)
        if (shown !== undefined) this.#writeTo(response, asEvent(shown))
      })
      .catch(() => undefined)
  }

  close(): void {
    clearInterval(this.#keepAlive)
    for (const listener of this.#listeners.keys()) listener.destroy()
  }

  #write(text: string): void {
    for (const listener of this.#listeners.keys()) this.#writeTo(listener, text)
  }

  #writeTo(listener: ServerResponse, text: string): void {
    if (listener.destroyed) return
    listener.write(text)
    if (listener.writableLength > maximumBacklogBytes) listener.destroy()
  }
}

/** JSON has no line breaks of its own, so it is one line of data. */
function asEvent({ name, json }: FeedNews): string {
  return `event: ${name}\ndata: ${json}\n\n`
}
