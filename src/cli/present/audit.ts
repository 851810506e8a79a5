import type { AuditEntry } from '../../agent/journal/audit/audit-entry.ts'
import { formatTable } from '../format/table.ts'
import { counted } from '../format/text.ts'
import { formatTime } from '../format/time.ts'
import type { ResultData } from '../json/schemas.ts'

/** One line for each operation: its begin and its end are two entries. */
export function auditText(entries: readonly AuditEntry[]): string {
  if (entries.length === 0) return 'The audit log has no such entry.'
  const operations = [...Map.groupBy(entries, ({ operation }) => operation).values()]
  return formatTable(
    [
      { title: 'TIME' },
      { title: 'USER' },
      { title: 'FROM' },
      { title: 'COMMAND' },
      { title: 'OPERATION' },
      { title: 'DATABASE' },
      { title: 'OUTCOME' },
      { title: 'REPOSITORY' },
      { title: 'PARAMETERS' },
    ],
    operations.flatMap((pair) => {
      const [first] = pair
      const last = pair.at(-1)
      if (first === undefined || last === undefined) return []
      return [
        [
          formatTime(Date.parse(first.time)),
          userText(first),
          first.actor.from === null ? first.actor.host : `${first.actor.from} to ${first.actor.host}`,
          first.actor.command,
          last.subtype === null ? last.kind : `${last.kind} ${last.subtype}`,
          last.database ?? '',
          outcomeText(last),
          last.repository,
          parametersText({ ...first.parameters, ...backupOf(last) }),
        ],
      ]
    }),
  )
}

function userText({ actor }: AuditEntry): string {
  return actor.sudoUser === null ? actor.user : `${actor.sudoUser} as ${actor.user}`
}

function outcomeText({ event, outcome, code }: AuditEntry): string {
  if (event === 'begin') return 'begun, no end'
  return code === null ? (outcome ?? '') : `${outcome} ${code}`
}

/** In full, though it was asked for by its name or the beginning of its id. */
function backupOf({ backupId }: AuditEntry): AuditEntry['parameters'] {
  return backupId === null ? {} : { backup: backupId }
}

function parametersText(parameters: AuditEntry['parameters']): string {
  return Object.entries(parameters)
    .flatMap(([name, value]) => (value === null || value === false ? [] : [value === true ? name : `${name}=${value}`]))
    .join(' ')
}

export function verifiedAuditText({ log, ok, entries, finding, comparedWith }: ResultData<'audit verify'>): string {
  if (finding !== null) {
    const before = entries === 0 ? '' : `\nThe ${counted(entries, 'entry', 'entries')} before are as they were written.`
    return `THE AUDIT LOG WAS TAMPERED WITH, or is damaged: ${log}\n${finding.problem}${before}`
  }
  if (!ok) return 'There is no audit log here yet.'
  const against =
    comparedWith === null
      ? 'No repository remembers its head, so it cannot be told whether its end was cut off.'
      : `Its end is what ${comparedWith} remembers, or later.`
  return `The audit log is whole: ${counted(entries, 'entry', 'entries')}, each as it was written. ${against}`
}
