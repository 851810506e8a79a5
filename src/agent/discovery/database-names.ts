import { createHash } from 'node:crypto'
import { basename, relative, sep } from 'node:path'
import { databaseNameFrom, longestDatabaseName } from '../../repository/layout.ts'

/** The folders of a pattern before its first wildcard: `/srv/tenants` for any database one folder below that. */
export function fixedPart(pattern: string): string {
  const parts = pattern.split(/[\\/]/)
  const first = parts.findIndex((part) => /[*?[\]{}!()]/.test(part))
  return (first < 0 ? parts.slice(0, -1) : parts.slice(0, first)).join(sep) || sep
}

/**
 * The name in the repository of a file that a pattern found: its path below the pattern's fixed part, so that it does not depend on
 * what else is found. `/srv/tenants/acme/app.db`, found below `/srv/tenants`, is `acme-app`.
 */
export function nameBelow(pattern: string, path: string): string {
  const below = relative(fixedPart(pattern), path)
  return databaseNameFrom((below.startsWith('..') ? basename(path) : below).split(sep).join('-'))
}

/** A name that is taken gets a tail that only depends on the path; a long one makes room for it. */
export function distinctName(name: string, path: string): string {
  const tail = `-${createHash('sha256').update(path).digest('hex').slice(0, 6)}`
  return `${name.slice(0, longestDatabaseName - tail.length)}${tail}`
}
