export interface ListenAddress {
  /** A name or an address, without brackets. */
  readonly host: string
  /** 0: any that is free. */
  readonly port: number
}

export function formatListenAddress({ host, port }: ListenAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`
}
