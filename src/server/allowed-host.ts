import { isIP } from 'node:net'
import { isLoopback } from '../agent/config/resolve/listen-address.ts'

/**
 * Whether a request's Host header names this server. A web page whose name was made to point to 127.0.0.1 (DNS rebinding) asks
 * for that name, and must learn nothing. A server that is open to other machines may go by any name.
 * @param listenHost what the server listens on
 */
export function isAllowedHost(header: string | undefined, listenHost: string): boolean {
  if (!isLoopback(listenHost)) return true
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+))(?::\d{1,5})?$/.exec(header ?? '')
  if (match === null) return false
  const [, ip6, name = ''] = match
  if (ip6 !== undefined) return isIP(ip6) === 6 && isLoopback(ip6)
  return isLoopback(name.toLowerCase().replace(/\.$/, ''))
}
