import { join, resolve } from 'node:path'

/** One letter before the colon is a Windows drive. */
const scheme = /^[a-zA-Z][a-zA-Z0-9+.-]+:/

export function resolveRepository(location: string | undefined, folder: string): string {
  if (location === undefined) return join(folder, 'backups')
  return scheme.test(location) ? location : resolve(folder, location)
}
