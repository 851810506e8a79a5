import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import type { Operation, OperationEnd, OperationKind, OperationStart, OperationTrigger } from './operation.ts'
import { operationRow, type RecordedOperation, toRecordedOperation } from './recorded-operation.ts'

/** Operations of which all that is given is true. Times are in milliseconds since 1970, both inclusive, and those of the start. */
export interface OperationQuery {
  readonly repository?: string | undefined
  readonly database?: string | undefined
  readonly kind?: OperationKind | undefined
  readonly trigger?: OperationTrigger | undefined
  readonly outcome?: RecordedOperation['outcome'] | undefined
  readonly since?: number | undefined
  readonly until?: number | undefined
  /** Only the newest so many. */
  readonly limit?: number | undefined
}

export interface FoundOperations {
  /** Oldest first. */
  readonly operations: RecordedOperation[]
  /** How many were left out, because this version does not know what they are. */
  readonly unknown: number
}

/** @param now milliseconds since 1970 */
export function selectOperations(database: DatabaseSync, query: OperationQuery, now: number): FoundOperations {
  const conditions: readonly (readonly [sql: string, value: SQLInputValue | undefined])[] = [
    ['repository = ?', query.repository],
    ['database = ?', query.database],
    ['kind = ?', query.kind],
    ['trigger = ?', query.trigger],
    ['started_at >= ?', query.since],
    ['started_at <= ?', query.until],
  ]
  const given = conditions.flatMap(([sql, value]) => (value === undefined ? [] : [{ sql, value }]))
  const where = given.length === 0 ? '' : `WHERE ${given.map(({ sql }) => sql).join(' AND ')}`
  const rows = database
    .prepare(`SELECT * FROM operations ${where} ORDER BY started_at DESC, id DESC`)
    .iterate(...given.map(({ value }) => value))
  const found: RecordedOperation[] = []
  let unknown = 0
  for (const row of rows) {
    if (found.length >= (query.limit ?? Number.POSITIVE_INFINITY)) break
    // Which ones are interrupted is known only now.
    const { data } = operationRow.safeParse(row)
    if (data === undefined) {
      unknown += 1
      continue
    }
    const operation = toRecordedOperation(data, now)
    if (query.outcome === undefined || operation.outcome === query.outcome) found.push(operation)
  }
  return { operations: found.reverse(), unknown }
}

/** Each once, sorted. */
export function selectDatabases(database: DatabaseSync, repository: string | undefined): string[] {
  return database
    .prepare(
      'SELECT DISTINCT database FROM operations WHERE database IS NOT NULL AND (?1 IS NULL OR repository = ?1) ORDER BY database',
    )
    .all(repository ?? null)
    .map((row) => String(row['database']))
}

export interface BegunOperation extends OperationStart {
  readonly id: string
  readonly startedAt: number
}

/** @param process JSON of a process identity */
export function insertBegun(database: DatabaseSync, begun: BegunOperation, process: string): void {
  insert(database, { ...startValues(begun), process, seen_at: begun.startedAt })
}

/** Also where its begin could not be recorded, or went with a journal that was set aside. */
export function updateEnded(
  database: DatabaseSync,
  begun: BegunOperation,
  end: OperationEnd,
  { process, endedAt }: { readonly process: string; readonly endedAt: number },
): void {
  const known = database.prepare('SELECT 1 FROM operations WHERE id = ?').get(begun.id)
  if (known === undefined) insertBegun(database, begun, process)
  const origin = originOf(begun, end)
  // Somebody may have asked the repository meanwhile, and have found the backup there.
  if (origin !== null)
    database.prepare('DELETE FROM operations WHERE repository = ? AND origin = ?').run(begun.repository, origin)
  const values = { ...endValues(end), ended_at: endedAt, seen_at: endedAt, origin }
  const columns = Object.keys(values).map((column) => `${column} = :${column}`)
  database
    .prepare(
      `UPDATE operations SET database = coalesce(:database, database), type = coalesce(:type, type), ${columns.join(', ')} WHERE id = :id`,
    )
    .run({ ...values, database: end.database ?? null, type: end.type ?? null, id: begun.id })
}

function originOf({ kind }: OperationStart, { backupId }: OperationEnd): string | null {
  return kind === 'backup' && backupId !== undefined ? backupOrigin(backupId) : null
}

/** Names the one operation that made a backup. */
export function backupOrigin(backupId: string): string {
  return `backup ${backupId}`
}

/** Enters what a repository tells of, unless it is known already. */
export function insertFound(database: DatabaseSync, found: Operation, origin: string): boolean {
  const { endedAt } = found
  return insert(database, { ...startValues(found), ...endValues(found), ended_at: endedAt, seen_at: endedAt, origin })
}

type Values = Readonly<Record<string, SQLInputValue>>

function startValues({ id, kind, database, repository, type, trigger, schedule, startedAt }: BegunOperation): Values {
  return {
    id,
    kind,
    database: database ?? null,
    repository,
    type: type ?? null,
    trigger,
    schedule: schedule ?? null,
    started_at: startedAt,
  }
}

function endValues({ outcome, code, message, warnings, backupId, figures }: OperationEnd): Values {
  return {
    outcome,
    code: code ?? null,
    message: message ?? null,
    warnings: warnings === undefined ? null : JSON.stringify(warnings),
    backup_id: backupId ?? null,
    figures: figures === undefined ? null : JSON.stringify(figures),
  }
}

function insert(database: DatabaseSync, values: Values): boolean {
  const columns = Object.keys(values)
  const places = columns.map((column) => `:${column}`)
  const { changes } = database
    .prepare(`INSERT OR IGNORE INTO operations (${columns.join(', ')}) VALUES (${places.join(', ')})`)
    .run(values)
  return changes > 0
}

/** Operations of a process that still run are known to do so at that time. */
export function updateSeen(database: DatabaseSync, process: string, time: number): void {
  database.prepare('UPDATE operations SET seen_at = ? WHERE process = ? AND outcome IS NULL').run(time, process)
}

export function deleteBefore(database: DatabaseSync, time: number): void {
  database.prepare('DELETE FROM operations WHERE started_at < ?').run(time)
}

/** Whether an operation of one of these kinds, on that database or on all, ran at some time between. */
export function ranWithin(
  database: DatabaseSync,
  { repository, database: name, startedAt, endedAt }: Operation,
  kinds: readonly OperationKind[],
): boolean {
  const row = database
    .prepare(
      `SELECT 1 FROM operations WHERE repository = ? AND (database IS NULL OR database = ?)
       AND kind IN (SELECT value FROM json_each(?)) AND started_at <= ? AND coalesce(ended_at, seen_at) >= ? LIMIT 1`,
    )
    .get(repository, name ?? null, JSON.stringify(kinds), endedAt, startedAt)
  return row !== undefined
}

export function deleteOperation(database: DatabaseSync, id: string): void {
  database.prepare('DELETE FROM operations WHERE id = ?').run(id)
}
