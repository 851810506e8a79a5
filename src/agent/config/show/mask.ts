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
