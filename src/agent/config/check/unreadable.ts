import { toHoldfastError } from '../../../errors.ts'

export type ReadFile = (path: string) => Promise<Uint8Array>

/** Why a file that the configuration is, or names, cannot be read. */
export function unreadable(path: string, thrown: unknown): string {
  if (isMissingFile(thrown)) return `There is no file ${path}.`
  if (systemCode(thrown) === 'EISDIR') return `${path} is a folder, not a file.`
  return `${path} cannot be read. ${toHoldfastError(thrown, path).message}`
}

export function isMissingFile(thrown: unknown): boolean {
  const code = systemCode(thrown)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

export function systemCode(thrown: unknown): unknown {
  return thrown instanceof Error && 'code' in thrown ? thrown.code : undefined
}
