import type { ServerResponse } from 'node:http'
import type { FeedNews } from '../live-feeds.js'

const keepAliveMs = 15_000
const maximumListeners = 50
/** A page that does not take its news is let go; it comes back by itself and gets everything anew. */
const maximumBacklogBytes = 4 * 1024 * 1024

/** The pages that listen for news, over server-sent events. */
export class EventStream {
  readonly #listeners = new Set<ServerResponse>()
  readonly #keepAlive: NodeJS.Timeout

  constructor() {
    this.#keepAlive = setInterval(() => this.#write(': still here\n\n'), keepAliveMs)
    this.#keepAlive.unref()
  }

  /** Takes a page in, and tells it what the others know already. @returns whether there was room. */
  add(response: ServerResponse, known: readonly FeedNews[]): boolean {
    if (this.#listeners.size >= maximumListeners) return false
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    response.write(`retry: 1000\n\n${known.map(asEvent).join('')}`)
    this.#listeners.add(response)
    response.once('close', () => this.#listeners.delete(response))
    return true
  }

  send(news: FeedNews): void {
    this.#write(asEvent(news))
  }

  close(): void {
    clearInterval(this.#keepAlive)
    for (const listener of this.#listeners) listener.destroy()
  }

  #write(text: string): void {
    for (const listener of this.#listeners) {
      listener.write(text)
      if (listener.writableLength > maximumBacklogBytes) listener.destroy()
    }
  }
}

/** JSON has no line breaks of its own, so it is one line of data. */
function asEvent({ name, json }: FeedNews): string {
  return `event: ${name}\ndata: ${json}\n\n`
}
