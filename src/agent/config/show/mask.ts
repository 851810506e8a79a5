import { escaped, variablesIn } from '../interpolate.ts'

export const mask = '***'

/** Path and query of a webhook are its secret. */
export function maskUrl(url: string): string {
  const { origin, pathname, search } = new URL(url)
  return pathname === '/' && search === '' ? origin : `${origin}/${mask}`
}

const harmless = ['endpoint', 'region']

/** User, password and the values of the query: what is asked of a storage may be a key. */
export function maskLocation(location: string): string {
  return location
    .replace(/^([a-zA-Z][a-zA-Z0-9+.-]+:\/\/)[^/]*@/, `$1${mask}@`)
    .replace(/([?&])([^=&#]*)=([^&#]*)/g, (whole, before: string, key: string) =>
      harmless.includes(key) ? whole : `${before}${key}=${mask}`,
    )
}

/**
 * Whatever came into commands from the environment: it may be a secret, and nothing tells that it is none.
 * @param document as it is written, so that texts are escaped
 * @param text the configuration, as written
 */
export function maskCommands(
  document: Readonly<Record<string, unknown>>,
  text: string,
  environment: Readonly<Record<string, string | undefined>>,
): Record<string, unknown> {
  const values = [...variablesIn(text)].flatMap((name) => environment[name] || []).map(escaped)
  // One may contain another.
  values.sort((a, b) => b.length - a.length)
  const masked = (command: unknown): unknown =>
    typeof command === 'string' ? values.reduce((left, value) => left.replaceAll(value, mask), command) : command
  const inMapping = (mapping: object): Record<string, unknown> =>
    Object.fromEntries(
      Object.entries(mapping).map(([key, inner]) => [key, key === 'command' ? masked(inner) : walk(inner)]),
    )
  const walk = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(walk)
    return typeof value === 'object' && value !== null ? inMapping(value) : value
  }
  return inMapping(document)
}
