import type { IncomingMessage } from 'node:http'
import type { AutoVolt, BoundAutoVolt } from '@autovolt/data'

/** Somebody who has signed in on a page. */
export interface Visitor {
  readonly id: string
  readonly name: string
  readonly role: string
  /** The library, as far as this user may use it. */
  readonly volt: BoundAutoVolt
  /** Where else the user is signed in, last used first; `isThis` is the session of the page that asks. */
  sessions(): Promise<readonly VisitorSession[]>
  /** Ends one of these sessions. @throws NotFoundError. */
  end(session: string): Promise<void>
  endOthers(): Promise<void>
  /** Calls back for each notification of the user that is made or read. @returns how to end it. */
  onNotification(listener: () => void): Promise<() => void>
  /** Whether the session of the page still lives: it may have been ended from another one. */
  isSignedIn(): Promise<boolean>
}

export interface VisitorSession {
  readonly id: string
  readonly userAgent: string | undefined
  readonly ip: string | undefined
  readonly lastUsedAt: Date
  readonly isThis: boolean
}

const cookieName = 'session'
const cookieRules = 'Path=/; HttpOnly; SameSite=Strict'

/** Who is signed in: the library keeps the sessions, a page has the token of its own in a cookie. */
export class Visitors {
  readonly #volt: AutoVolt

  constructor(volt: AutoVolt) {
    this.#volt = volt
  }

  /** @returns the cookie of the new session. @throws SignInError. */
  async signIn(email: string, password: string, { headers, socket }: IncomingMessage): Promise<string> {
    const client = { ip: socket.remoteAddress, userAgent: headers['user-agent'] }
    const { token } = await this.#volt.signIn.withPassword(email, password, client)
    return `${cookieName}=${token}; ${cookieRules}`
  }

  /** @returns the cookie that ends the session on the page. */
  async signOut(request: IncomingMessage): Promise<string> {
    await this.#volt.sessions.end(tokenOf(request))
    return `${cookieName}=; ${cookieRules}; Max-Age=0`
  }

  async of(request: IncomingMessage): Promise<Visitor | undefined> {
    const token = tokenOf(request)
    const { sessions } = this.#volt
    const found = await sessions.find(token)
    if (found === null) return undefined
    const { user, session: own } = found
    return {
      id: user._id.toHexString(),
      name: user.name,
      role: user.role ?? 'none',
      volt: this.#volt.as(user),
      sessions: async () =>
        (await sessions.list(user._id)).map(({ _id, client, lastUsedAt }) => ({
          id: _id.toHexString(),
          userAgent: client.userAgent,
          ip: client.ip,
          lastUsedAt,
          isThis: _id.equals(own._id),
        })),
      end: (session) => sessions.revoke(user._id, session),
      endOthers: async () => {
        await sessions.revokeOthers(user._id, own._id)
      },
      onNotification: (listener) => this.#volt.notifications.subscribe(user._id, listener),
      isSignedIn: async () => (await sessions.find(token)) !== null,
    }
  }
}

function tokenOf({ headers }: IncomingMessage): string {
  return new RegExp(`(?:^|; )${cookieName}=([\\w-]{43})(?:;|$)`).exec(headers.cookie ?? '')?.[1] ?? ''
}
