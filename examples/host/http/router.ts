import type { IncomingMessage } from 'node:http'
import {
  AccessDeniedError,
  ConflictError,
  DatabaseError,
  NotFoundError,
  SignInError,
  ValidationError,
} from '@autovolt/data'
import type { VisibleNews } from '../visible-news.js'
import type { Visitor } from '../visitors.js'

export interface Route {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Who may ask: anybody, those who are signed in, or those of them who run the school. @default 'operators' */
  readonly isFor?: 'everybody' | 'members' | 'operators'
  /** @returns what is answered, as JSON. */
  readonly handle: (body: unknown, caller: Caller) => unknown
}

/** Who asks. */
export interface Caller {
  readonly request: IncomingMessage
  /** What stands behind the `?` of the URL. */
  readonly query: URLSearchParams
  readonly visitor: Visitor | undefined
  /** What of the feeds the visitor sees. */
  readonly news: VisibleNews | undefined
  setCookie(cookie: string): void
}

export interface Answer {
  readonly status: number
  readonly body: unknown
}

const maximumBodyBytes = 4_096

/** Answers a request with one of the routes. What goes wrong is told without anything that is nobody's business. */
export async function answer(
  routes: readonly Route[],
  request: IncomingMessage,
  path: string,
  caller: Caller,
): Promise<Answer> {
  const there = routes.filter((route) => route.path === path)
  const route = there.find(({ method }) => method === request.method)
  if (there.length === 0) return problem(404, 'There is nothing here')
  if (route === undefined)
    return problem(405, `Only ${there.map(({ method }) => method).join(' and ')} is understood here`)
  try {
    const body = route.method === 'POST' ? await readBody(request) : undefined
    await requireCaller(route, caller)
    return { status: 200, body: (await route.handle(body, caller)) ?? null }
  } catch (error) {
    return problem(
      statusOf(error),
      error instanceof RequestError || error instanceof DatabaseError ? error.message : 'It did not work',
    )
  }
}

/** The request itself is at fault. */
class RequestError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

export function problem(status: number, message: string): Answer {
  return { status, body: { error: message } }
}

async function requireCaller({ isFor = 'operators' }: Route, caller: Caller): Promise<void> {
  if (isFor === 'everybody') return
  if (caller.news === undefined) throw new RequestError(401, 'Sign in first')
  if (isFor === 'members' || (await caller.news.isOperator())) return
  throw new RequestError(403, 'This is not for you')
}

function statusOf(error: unknown): number {
  if (error instanceof RequestError) return error.status
  if (error instanceof ValidationError) return 400
  if (error instanceof NotFoundError) return 404
  if (error instanceof ConflictError) return 409
  if (error instanceof SignInError) return 401
  if (error instanceof AccessDeniedError) return 403
  return error instanceof DatabaseError && error.retryable ? 503 : 500
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  if (request.headers['content-type'] !== 'application/json') throw new RequestError(415, 'Only JSON is understood')
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maximumBodyBytes) throw new RequestError(413, `At most ${maximumBodyBytes} bytes are read`)
    chunks.push(chunk)
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString())
  } catch {
    throw new RequestError(400, 'The body is not JSON')
  }
}
