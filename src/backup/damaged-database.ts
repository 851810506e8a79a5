import { HoldfastError } from '../errors.ts'
import type { BackupSource, Inspection } from '../source/source.ts'

export function damagedDatabase(source: BackupSource, inspection: Inspection): HoldfastError {
  const { findings, foreignKeyViolations } = inspection.validation
  const foreign = foreignKeyViolations > 0 ? [foreignKeysText(inspection)] : []
  const reasons = [...findings.slice(0, 3), ...foreign].join('; ')
  const look = foreign.length === 0 ? '' : 'PRAGMA foreign_key_check lists those rows. '
  return new HoldfastError('DATABASE_DAMAGED', `The database ${source.location} fails its checks: ${reasons}.`, {
    object: source.location,
    hint: `${look}Older backups are untouched. To keep a backup of this state as well, marked as damaged, use --allow-damaged.`,
  })
}

function foreignKeysText({ validation, tablesBreakingForeignKeys: tables = [] }: Inspection): string {
  const { foreignKeyViolations: rows } = validation
  const shown =
    tables.length > 3 ? `${tables.slice(0, 3).join(', ')} and ${tables.length - 3} more tables` : tables.join(', ')
  const where = shown === '' ? '' : ` of ${shown}`
  return rows === 1 ? `1 row${where} breaks a foreign key` : `${rows} rows${where} break a foreign key`
}
