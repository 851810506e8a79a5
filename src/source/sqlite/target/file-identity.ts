import { type BigIntStats, lstatSync } from 'node:fs'

/** Whether a path still leads to that very file, and not to a link to it or to another one. */
export function standsUnder(path: string, file: Pick<BigIntStats, 'dev' | 'ino'>): boolean {
  const found = lstatSync(path, { bigint: true, throwIfNoEntry: false })
  return found?.isFile() === true && found.dev === file.dev && found.ino === file.ino
}
