/**
 * An engine does not inherit the host's Node.js options: a debugger's port, a loader, a preloaded module or a memory limit
 * are meant for the application. What it keeps decides how other machines are found and trusted.
 */
const kept: Readonly<Record<string, 'flag' | 'value'>> = {
  '--use-system-ca': 'flag',
  '--use-bundled-ca': 'flag',
  '--use-openssl-ca': 'flag',
  '--openssl-config': 'value',
  '--openssl-shared-config': 'flag',
  '--openssl-legacy-provider': 'flag',
  '--enable-fips': 'flag',
  '--force-fips': 'flag',
  '--tls-cipher-list': 'value',
  '--tls-min-v1.2': 'flag',
  '--tls-min-v1.3': 'flag',
  '--use-env-proxy': 'flag',
  '--dns-result-order': 'value',
  '--network-family-autoselection': 'flag',
  '--no-network-family-autoselection': 'flag',
  '--network-family-autoselection-attempt-timeout': 'value',
  '--icu-data-dir': 'value',
}

/** @param words as in `process.execArgv`: `--name`, `--name=value`, or `--name` followed by its value. */
export function keptOptions(words: readonly string[]): string[] {
  const result: string[] = []
  for (let index = 0; index < words.length; index++) {
    const word = words[index] ?? ''
    const equals = word.indexOf('=')
    const name = equals < 0 ? word : word.slice(0, equals)
    const kind = Object.hasOwn(kept, name) ? kept[name] : undefined
    if (kind === undefined) continue
    result.push(word)
    if (kind === 'value' && equals < 0) {
      index++
      result.push(words[index] ?? '')
    }
  }
  return result
}

/** The environment for an engine: the host's, with `NODE_OPTIONS` cut down in the same way. */
export function engineEnvironment(host: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: options, ...rest } = host
  // Words are separated by spaces; double quotes keep one together.
  const words = keptOptions(options?.match(/(?:"(?:\\.|[^"\\])*"|[^\s"])+/g) ?? [])
  return words.length === 0 ? rest : { ...rest, NODE_OPTIONS: words.join(' ') }
}
