import { HoldfastError } from '../../errors.ts'

/** Older libraries have the WAL-reset bug: a checkpoint by a second process can lose committed transactions. */
const oldest = [3, 51, 3] as const

/** @throws DATABASE_UNSUPPORTED if the SQLite library is too old to read a live database safely */
export function requireEngineVersion(version: string): void {
  const parts = version.split('.').map(Number)
  for (const [index, wanted] of oldest.entries()) {
    const part = parts[index] ?? 0
    if (part > wanted) return
    if (part < wanted) {
      throw new HoldfastError(
        'DATABASE_UNSUPPORTED',
        `SQLite ${version} cannot be trusted with a live database; ${oldest.join('.')} or newer is needed.`,
        { object: `SQLite ${version}`, hint: 'Run Holdfast with a newer release of Node.js 24.' },
      )
    }
  }
}
