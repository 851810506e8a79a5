import { HoldfastError } from '../errors.ts'
import type { BackupSource, Inspection } from '../source/source.ts'

export function damagedDatabase(source: BackupSource, { validation }: Inspection): HoldfastError {
  const { findings, foreignKeyViolations } = validation
  const foreign = foreignKeyViolations > 0 ? [`${foreignKeyViolations} rows break a foreign key`] : []
  const reasons = [...findings, ...foreign].slice(0, 3).join('; ')
  return new HoldfastError('DATABASE_DAMAGED', `The database ${source.location} fails its checks: ${reasons}.`, {
    object: source.location,
    hint: 'Older backups are untouched. To keep a backup of the damaged state as well, marked as such, use --allow-damaged.',
  })
}
