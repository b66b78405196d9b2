import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { readBell } from '../bell.js'
import type { FeedNews } from '../live-feeds.js'
import { VisibleNews } from '../visible-news.js'
import type { Visitors } from '../visitors.js'
import { EventStream } from './event-stream.js'
import { isWelcome } from './origin.js'
import { answer, type Caller, problem, type Route } from './router.js'
import { loadStaticFiles, type StaticFile } from './static-files.js'

export interface WebServerOptions {
  readonly address: string
  /** The next free port is taken if this one is not. */
  readonly port: number
  readonly routes: readonly Route[]
  readonly visitors: Visitors
  /** Serves downloads to devices, below `/firmware/`. */
  readonly firmware: (request: IncomingMessage, response: ServerResponse) => unknown
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

export async function startWebServer({ address, port, known, ...others }: WebServerOptions): Promise<WebServer> {
  const files = await loadStaticFiles()
  const stream = new EventStream()
  const server = createServer((request, response) => {
    void respond(request, response, { files, stream, known, ...others }).catch(() => response.destroy())
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

interface Served extends Omit<WebServerOptions, 'address' | 'port'> {
  readonly files: ReadonlyMap<string, StaticFile>
  readonly stream: EventStream
}

async function respond(request: IncomingMessage, response: ServerResponse, served: Served): Promise<void> {
  for (const [name, value] of Object.entries(securityHeaders)) response.setHeader(name, value)
  const [path = '/', query = ''] = (request.url ?? '/').split('?', 2)
  const file = served.files.get(path)
  if (!isWelcome(request)) {
    sendJson(response, problem(403, 'Requests come from the page itself'))
    return
  }
  if (file !== undefined && (request.method === 'GET' || request.method === 'HEAD')) {
    response.writeHead(200, { 'content-type': file.type, 'cache-control': 'no-cache' }).end(file.body)
    return
  }
  if (path.startsWith('/firmware/')) {
    await served.firmware(request, response)
    return
  }
  const caller = await callerOf(request, response, served.visitors, query)
  if (path === '/api/live' && request.method === 'GET') {
    const { news } = caller
    if (news === undefined) sendJson(response, problem(401, 'Sign in first'))
    else if (!served.stream.add(response, served.known(), (one) => news.of(one)))
      sendJson(response, problem(503, 'Too many pages are open'))
    else await ring(response, caller, served.stream)
  } else sendJson(response, await answer(served.routes, request, path, caller))
}

/** Tells a page of each notification of its visitor. */
async function ring(response: ServerResponse, { visitor }: Caller, stream: EventStream): Promise<void> {
  const tell = async () => {
    if (visitor !== undefined) stream.tell(response, { name: 'bell', json: JSON.stringify(await readBell(visitor)) })
  }
  const stop = await visitor?.onNotification(() => void tell().catch(() => undefined))
  if (stop === undefined) return
  if (response.closed) stop()
  else response.once('close', stop)
  await tell()
}

async function callerOf(
  request: IncomingMessage,
  response: ServerResponse,
  visitors: Visitors,
  query: string,
): Promise<Caller> {
  const visitor = await visitors.of(request)
  return {
    request,
    query: new URLSearchParams(query),
    visitor,
    news: visitor && new VisibleNews(visitor),
    setCookie: (cookie) => {
      response.setHeader('set-cookie', cookie)
    },
  }
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
