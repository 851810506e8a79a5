import type { DatabaseSync } from 'node:sqlite'

export function readNumber(database: DatabaseSync, pragma: string): number {
  return Number(readValue(database, pragma))
}

export function readText(database: DatabaseSync, pragma: string): string {
  return String(readValue(database, pragma))
}

function readValue(database: DatabaseSync, pragma: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${pragma}`).get() ?? {})[0]
}
