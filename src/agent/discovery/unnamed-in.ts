import type { NamingPlace } from '../../backup/identity.ts'
import type { DatabaseConfig } from '../config/config.ts'

/** Where the user could give the database a name; undefined if that was done: then it is meant. */
export function unnamedIn({ source }: Pick<DatabaseConfig, 'source'>): NamingPlace | undefined {
  return source.kind === 'path' && source.name !== undefined ? undefined : 'configuration'
}
