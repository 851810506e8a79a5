import { BlockList, isIP } from 'node:net'

export const usualListen = '127.0.0.1:7420'

/** `127.0.0.1:7420`, `[::1]:7420`, `localhost:7420`, `:7420` and `7420` (loopback); undefined if it is none. */
export function parseListen(text: string): { readonly host: string; readonly port: number } | undefined {
  const [, inBrackets, plain, digits] = /^(?:(?:\[([^\]]+)\]|([^:[\]\s]*)):)?(\d{1,5})$/.exec(text.trim()) ?? []
  const port = Number(digits ?? 65_536)
  if (port > 65_535 || (inBrackets !== undefined && isIP(inBrackets) !== 6)) return undefined
  const host = inBrackets ?? plain ?? ''
  return { host: host === '' ? '127.0.0.1' : host, port }
}

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

export function isLoopback(host: string): boolean {
  const family = isIP(host)
  return family === 0 ? host.toLowerCase() === 'localhost' : loopback.check(host, family === 4 ? 'ipv4' : 'ipv6')
}
