import type { NotifyConfig } from '../../config/config.ts'

/** Where a channel meets a server's certificate. */
export interface TlsEndpoint {
  /** `hooks.example.com:443`. */
  readonly name: string
  readonly host: string
  readonly port: number
  /** It begins in the clear, and changes over when it is asked to (RFC 3207). */
  readonly startTls: boolean
}

/** Each once, of all channels that encrypt. */
export function tlsEndpoints(notify: readonly NotifyConfig[]): TlsEndpoint[] {
  const found = notify.flatMap((config) => endpointOf(config) ?? [])
  return [...new Map(found.map((endpoint) => [endpoint.name, endpoint])).values()]
}

function endpointOf(config: NotifyConfig): TlsEndpoint | undefined {
  switch (config.type) {
    case 'webhook':
    case 'heartbeat': {
      const { protocol, hostname, port } = new URL(config.settings.url)
      if (protocol !== 'https:') return undefined
      return endpoint(hostname.replace(/^\[|\]$/g, ''), port === '' ? 443 : Number(port), false)
    }
    case 'email': {
      const { host, tls = 'starttls', port } = config.settings
      if (tls === 'never') return undefined
      return endpoint(host, port ?? (tls === 'always' ? 465 : 587), tls === 'starttls')
    }
    case 'command':
      return undefined
  }
}

function endpoint(host: string, port: number, startTls: boolean): TlsEndpoint {
  return { name: `${host}:${port}`, host, port, startTls }
}
