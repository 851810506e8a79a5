import { isLoopback, parseListen, usualListen } from '../resolve/listen-address.ts'
import type { ConfigInput } from '../schema/config-schema.ts'
import type { Reporter } from './reporter.ts'

export function checkServer(server: ConfigInput['server'], report: Reporter): void {
  if (typeof server !== 'object') return
  const { listen = usualListen, allowRemote = false } = server
  const path = ['server', 'listen']
  const address = parseListen(listen)
  if (address === undefined)
    report.value(path, `Expected an address and a port such as ${usualListen}, got "${listen}".`, {
      expected: `an address and a port such as ${usualListen}`,
      got: listen,
    })
  else if (!allowRemote && !isLoopback(address.host))
    report.value(
      path,
      `Other machines can reach ${address.host}, and what is served there has no password. If that is meant, say "allowRemote: true".`,
    )
}
