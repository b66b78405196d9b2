import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'

/**
 * Whether a request may be answered. Any page that somebody visits can send requests to this machine: those are told by
 * their origin, and where a foreign name was made to point here, by the host that they ask for.
 */
export function isWelcome(request: IncomingMessage): boolean {
  const { host, origin } = request.headers
  if (host === undefined || !isPlainHost(host)) return false
  return origin === undefined || origin === `http://${host}`
}

/** `localhost` or an address: a name that somebody else gives out could be made to point anywhere. */
function isPlainHost(host: string): boolean {
  const name = host.replace(/:\d+$/, '').replace(/^\[(.*)\]$/, '$1')
  return name === 'localhost' || isIP(name) !== 0
}
