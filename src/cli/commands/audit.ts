import type { Command } from 'commander'
import type { AuditFilter } from '../audit/list-audit.ts'
import type { TimeRangeFlags } from '../parse/time-range.ts'
import { type AddCommand, examples } from '../program.ts'
import { usageError } from '../usage-error.ts'

interface AuditFlags extends TimeRangeFlags, AuditFilter {}

export const addAudit: AddCommand = (program, run) => {
  const audit = program
    .command('audit')
    .summary('show who did what, or prove that the log of it is whole')
    .description(
      'Shows the audit log of this user on this machine, oldest first: who did what to which database, from where, and how it ended. Entries are only ever added, and each one seals those before it.',
    )
    .option('--since <time>', 'of this time or later')
    .option('--until <time>', 'of this time or before')
    .option('--database <name>', 'only what was done to this database')
    .option('--user <name>', 'only what this user did')
    .addHelpText(
      'after',
      examples([
        ['holdfast audit --since yesterday', 'who did what'],
        ['holdfast audit verify', 'was anything changed, removed or inserted?'],
        ['holdfast audit export --to audit.log', 'for the auditor; checked by "audit verify audit.log"'],
      ]),
    )
    .action((flags: AuditFlags, command) =>
      run(command, 'audit', async (session) => {
        const { listAudit } = await import('../audit/list-audit.ts')
        return await listAudit(session, flags, flags)
      }),
    )
  audit
    .command('verify')
    .summary('prove that the audit log is whole')
    .description(
      'Follows the chain of hashes from its start, and names the first entry that was changed, removed, inserted or moved. That the end was not cut off shows against the head that the repository remembers.',
    )
    .argument('[path]', 'of an exported log; default: the log of this machine')
    .addHelpText(
      'after',
      examples([
        ['holdfast audit verify', 'the log here, against what ./backups remembers'],
        ['holdfast audit verify audit.log -r /srv/backups', 'one that was exported'],
      ]),
    )
    .action((path: string | undefined, _flags, command: Command) =>
      run(command, 'audit verify', async (session) => {
        refuseFilters(command)
        const { verifyAudit } = await import('../audit/verify-audit.ts')
        return await verifyAudit(session, path)
      }),
    )
  audit
    .command('export')
    .summary('write the whole audit log to a file')
    .description('Writes all entries with their hashes to a new file of lines, which can be checked without Holdfast.')
    .requiredOption('--to <path>', 'file to write; it must not exist')
    .addHelpText(
      'after',
      examples([
        ['holdfast audit export --to audit.log', 'the whole log'],
        ['holdfast audit export --to "audit-$(date +%F).log"', 'one for each day'],
      ]),
    )
    .action(({ to }: { to: string }, command: Command) =>
      run(command, 'audit export', async (session) => {
        refuseFilters(command)
        const { exportAudit } = await import('../audit/export-audit.ts')
        return await exportAudit(session, to)
      }),
    )
}

/** A part of the log proves nothing of the whole. */
function refuseFilters({ parent }: Command): void {
  const [filter] = Object.keys(parent?.opts() ?? {})
  if (filter !== undefined)
    throw usageError(`--${filter} does not go with this command, which is about the whole log.`, 'Leave it out.')
}
