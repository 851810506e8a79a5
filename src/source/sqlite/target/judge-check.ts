/** What SQLite says of a restored file, against what is known of the backed-up database. The bytes are proved elsewhere. */
import type { DatabaseFacts, ValidationReport } from '../../facts.ts'
import type { ValidationLevel } from '../../source.ts'
import type { ExpectedState, Proof } from '../../target.ts'
import type { FileCheck } from './check-file.ts'
import { proofFailed } from './proof-failed.ts'

type Judgement = Pick<Proof, 'factsMatch' | 'tablesCompared' | 'warnings'>

interface Difference {
  readonly proof: string
  readonly expected: string
  readonly got: string
}

const depth: Readonly<Record<ValidationLevel, number>> = { none: 0, quick: 1, integrity: 2 }
const checkNames: Readonly<Record<ValidationLevel, string>> = {
  none: 'reading it',
  quick: 'quick_check',
  integrity: 'integrity_check',
}

/** @throws PROOF_FAILED for what cannot be damage of the backed-up database itself */
export function judgeCheck(target: string, check: FileCheck, expected: ExpectedState): Judgement {
  const { level, findings, foreignKeyViolations } = check.validation
  const { alreadyDamaged = false, levelAtBackup, facts } = expected
  const isOwnDamage = alreadyDamaged || wasNeverChecked(check, levelAtBackup)
  if (findings.length > 0 && !isOwnDamage) throw proofFailed(target, checkNames[level], 'ok', findingsText(check))
  const allowed = expected.expectedForeignKeyViolations
  // Damage hides rows, and with them who refers to whom.
  if (allowed !== undefined && foreignKeyViolations > allowed && findings.length === 0) {
    throw proofFailed(target, 'foreign_key_check', `${allowed} violations`, `${foreignKeyViolations}`)
  }
  const warnings = findings.length > 0 && !alreadyDamaged ? [ownDamage(check.validation, levelAtBackup)] : []
  if (allowed === undefined && levelAtBackup === 'none' && foreignKeyViolations > 0)
    warnings.push(
      `The backed-up database, which its backup did not check, has ${foreignKeyViolations} foreign key violations.`,
    )
  if (facts === undefined) return { factsMatch: undefined, tablesCompared: 0, warnings }
  const mayDiffer = findings.length > 0 || alreadyDamaged || (levelAtBackup === 'none' && level === 'none')
  if (check.facts === undefined) {
    return {
      factsMatch: undefined,
      tablesCompared: 0,
      warnings: [...warnings, `SQLite cannot read it: ${findings[0]}.`],
    }
  }
  const { differences, tablesCompared } = compareFacts(facts, check.facts)
  const [first] = differences
  if (first !== undefined && !mayDiffer) throw proofFailed(target, first.proof, first.expected, first.got)
  const told = differences.map(
    ({ proof, expected: was, got }) =>
      `The damaged database reads differently than at backup (${proof}): it was ${was}, and is ${got}. Its bytes are the same.`,
  )
  return { factsMatch: first === undefined, tablesCompared, warnings: [...warnings, ...told] }
}

/** Only a check that the database was never put through complains. */
function wasNeverChecked(
  { validation, quickFindings }: FileCheck,
  levelAtBackup: ValidationLevel | undefined,
): boolean {
  if (levelAtBackup === undefined || quickFindings.length > 0) return false
  return levelAtBackup === 'none' || depth[validation.level] > depth[levelAtBackup]
}

function findingsText({ validation, quickFindings }: FileCheck): string {
  return (quickFindings.length > 0 ? quickFindings : validation.findings).join('\n')
}

function ownDamage({ level, findings }: ValidationReport, levelAtBackup: ValidationLevel | undefined): string {
  const before = levelAtBackup === 'none' ? 'not checked' : 'checked less deeply'
  return `The backed-up database itself has this damage, which its backup did not show because it was ${before} (${checkNames[level]}): ${findings.join('; ')}`
}

function compareFacts(
  expected: DatabaseFacts,
  got: DatabaseFacts,
): { readonly differences: readonly Difference[]; readonly tablesCompared: number } {
  const differences: Difference[] = []
  const differ = (proof: string, was: unknown, is: unknown) =>
    differences.push({ proof, expected: `${was}`, got: `${is}` })
  for (const key of ['pageSize', 'pageCount', 'encoding', 'userVersion', 'applicationId', 'schemaDigest'] as const) {
    // An empty database has no page size of its own.
    if (key === 'pageSize' && expected.pageCount === 0) continue
    if (expected[key] !== got[key]) differ(key, expected[key], got[key])
  }
  const rowsOf = new Map(got.tables.map(({ name, rows }) => [name, rows]))
  let tablesCompared = 0
  for (const { name, rows } of expected.tables) {
    const found = rowsOf.get(name)
    if (found === undefined) differ(`table ${name}`, 'present', 'missing')
    else if (rows !== null && found !== null && rows !== found) differ(`row count of ${name}`, rows, found)
    else if (rows !== null && found !== null) tablesCompared += 1
  }
  return { differences, tablesCompared }
}
