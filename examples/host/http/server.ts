import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { FeedNews } from '../live-feeds.js'
import { EventStream } from './event-stream.js'
import { isWelcome } from './origin.js'
import { answer, problem, type Route } from './router.js'
import { loadStaticFiles, type StaticFile } from './static-files.js'

export interface WebServerOptions {
  readonly address: string
  /** The next free port is taken if this one is not. */
  readonly port: number
  readonly routes: readonly Route[]
  /** What a page is told when it begins to listen. */
  readonly known: () => readonly FeedNews[]
}

export interface WebServer {
  readonly url: string
  /** Tells all pages. */
  send(news: FeedNews): void
  close(): Promise<void>
}

const securityHeaders = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
}

const portsTried = 50

export async function startWebServer({ address, port, routes, known }: WebServerOptions): Promise<WebServer> {
  const files = await loadStaticFiles()
  const stream = new EventStream()
  const server = createServer((request, response) => {
    void respond(request, response, { files, routes, stream, known }).catch(() => response.destroy())
  })
  const taken = await listen(server, address, port)
  return {
    url: `http://${address.includes(':') ? `[${address}]` : address}:${taken}`,
    send: (news) => stream.send(news),
    close: async () => {
      stream.close()
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

interface Served {
  readonly files: ReadonlyMap<string, StaticFile>
  readonly routes: readonly Route[]
  readonly stream: EventStream
  readonly known: () => readonly FeedNews[]
}

async function respond(request: IncomingMessage, response: ServerResponse, served: Served): Promise<void> {
  for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value)
  const path = (request.url ?? '/').split('?')[0] ?? '/'
  const file = served.files.get(path)
  if (!isWelcome(request)) sendJson(response, problem(403, 'Requests come from the page itself'))
  else if (file !== undefined && (request.method === 'GET' || request.method === 'HEAD')) {
    response.writeHead(200, { 'content-type': file.type, 'cache-control': 'no-cache' }).end(file.body)
  } else if (path === '/api/live' && request.method === 'GET') {
    if (!served.stream.add(response, served.known())) sendJson(response, problem(503, 'Too many pages are open'))
  } else sendJson(response, await answer(served.routes, request, path))
}

function sendJson(
  response: ServerResponse,
  { status, body }: { readonly status: number; readonly body: unknown },
): void {
  response.writeHead(status, { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' })
  response.end(JSON.stringify(body))
}

/** @returns the port that was free. */
async function listen(server: ReturnType<typeof createServer>, address: string, port: number): Promise<number> {
  for (let tried = port; ; tried += 1) {
    try {
      server.listen(tried, address)
      await once(server, 'listening')
      const bound = server.address()
      return bound === null || typeof bound === 'string' ? tried : bound.port
    } catch (error) {
      const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
      if (!isTaken || tried === 65_535 || tried >= port + portsTried) throw error
    }
  }
}
