import { toHoldfastError } from '../../../errors.ts'

export type ReadFile = (path: string) => Promise<Uint8Array>

/** Why a file that the configuration is, or names, cannot be read. */
export function unreadable(path: string, thrown: unknown): string {
  const code = thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
  if (code === 'ENOENT' || code === 'ENOTDIR') return `There is no file ${path}.`
  if (code === 'EISDIR') return `${path} is a folder, not a file.`
  return `${path} cannot be read. ${toHoldfastError(thrown, path).message}`
}
