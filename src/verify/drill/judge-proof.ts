/** What the proof of a restore, which has passed, says in terms of a drill. */
import type { BackupManifest } from '../../repository/manifest.ts'
import type { Proof } from '../../source/target.ts'
import type { DrillCheck } from './drill-options.ts'

export function judgeProof(proof: Proof, backup: BackupManifest | undefined): DrillCheck[] {
  const { state, pagesHashed, durationMs } = proof
  const checksum = state.toString(16).padStart(16, '0')
  return [
    {
      kind: 'restore',
      outcome: 'passed',
      detail: `state checksum ${checksum} equal (${counted(pagesHashed, 'page')} read back)`,
      durationMs,
    },
    integrity(proof),
    foreignKeys(proof, backup),
    contents(proof, backup),
  ]
}

/** The bytes are those of the backup; but a database that was damaged then is not what anybody wants back. */
function integrity({ validation: { findings } }: Proof): DrillCheck {
  const [first] = findings
  return first === undefined
    ? { kind: 'integrity', outcome: 'passed', detail: 'integrity_check ok' }
    : { kind: 'integrity', outcome: 'failed', detail: `The database was damaged when it was captured: ${first}` }
}

function foreignKeys({ validation }: Proof, backup: BackupManifest | undefined): DrillCheck {
  const { foreignKeyViolations: found } = validation
  const kind = 'foreign-keys'
  if (found === 0) return { kind, outcome: 'passed', detail: 'foreign_key_check ok' }
  const rows = `${counted(found, 'row')} without the row that a foreign key refers to`
  // More than at backup, and the proof would have failed.
  return backup === undefined || backup.validation.level === 'none'
    ? { kind, outcome: 'skipped', detail: `${rows}; how many there were is not known` }
    : { kind, outcome: 'passed', detail: `${rows}, no more than at backup` }
}

function contents({ factsMatch, tablesCompared }: Proof, backup: BackupManifest | undefined): DrillCheck {
  const kind = 'contents'
  if (backup === undefined)
    return { kind, outcome: 'skipped', detail: 'A state between backups: no schema or row counts to compare with.' }
  if (factsMatch !== true)
    return { kind, outcome: 'skipped', detail: 'Schema and row counts cannot be compared: the database is damaged.' }
  const rows = tablesCompared === 0 ? 'it has no row counts' : `row counts of ${counted(tablesCompared, 'table')}`
  return { kind, outcome: 'passed', detail: `schema and settings as at backup, ${rows}` }
}

function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? '' : 's'}`
}
