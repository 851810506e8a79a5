/** What is known of a database's state; kept in the manifest of its backup and proved again on restore. */
export interface DatabaseFacts {
  readonly kind: 'sqlite'
  /** Version of the SQLite library that read it. */
  readonly engineVersion: string
  readonly pageSize: number
  readonly pageCount: number
  readonly encoding: 'UTF-8' | 'UTF-16le' | 'UTF-16be'
  readonly journalMode: 'wal' | 'rollback'
  readonly autoVacuum: 'none' | 'full' | 'incremental'
  readonly userVersion: number
  readonly applicationId: number
  /** SHA-256 (hex) of every schema entry's type, name, table and SQL, in order of type and name. */
  readonly schemaDigest: string
  /** Every ordinary and virtual table, by name; `rows` is null where it was not counted or could not be. */
  readonly tables: readonly { readonly name: string; readonly rows: number | null }[]
}

export interface ValidationReport {
  readonly level: 'none' | 'quick' | 'integrity'
  /** True also when nothing was checked. */
  readonly ok: boolean
  /** What the engine complained of: at most 20 lines. */
  readonly findings: readonly string[]
  readonly foreignKeyViolations: number
  readonly durationMs: number
}
