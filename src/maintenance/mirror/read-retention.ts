import { hasCode } from '../../errors.ts'
import { copyRetention, type RetentionCopy } from './copy-replaced.ts'
import type { CopyPlan } from './plan-copies.ts'
import type { DatabaseRun } from './run-context.ts'

/**
 * What the repository says that it deleted, and what the mirror knew of that.
 * @param options `copy`: it is brought to the mirror, too, unless nothing is to be written
 * @returns undefined if it cannot be read, which is among the findings then
 * @throws STORAGE_*, DISK_FULL, ABORTED
 */
export async function readRetention(
  { settings, sides, source, findings, options }: DatabaseRun,
  { hasRetention }: Pick<CopyPlan, 'hasRetention'>,
  { copy = false }: { readonly copy?: boolean } = {},
): Promise<RetentionCopy | undefined> {
  if (!hasRetention) return { records: [], isChanged: false }
  try {
    return await copyRetention(sides, { ...options, dryRun: settings.dryRun || !copy })
  } catch (error) {
    if (!hasCode(error, 'INTEGRITY', 'FORMAT_TOO_NEW', 'STORAGE_CORRUPT')) throw error
    findings.push({ object: error.object ?? source.name, side: 'source', problem: error.message, soundCopy: undefined })
    return undefined
  }
}
