import { Option } from 'commander'
import type { Ending } from '../../agent/journal/ending.ts'
import { verifyEnding } from '../../agent/journal/verify-ending.ts'
import { exitCodes } from '../../errors.ts'
import type { Repository } from '../../repository/repository.ts'
import type { VerifyLevel, VerifyResult } from '../../verify/verify-options.ts'
import { duration, part } from '../parse/option-values.ts'
import { verifyText } from '../present/verify.ts'
import { type AddCommand, examples } from '../program.ts'
import type { OperationFacts } from '../record/command-journal.ts'
import { type Outcome, openRepository, type Session, withProgress } from '../session.ts'
import { commandLine } from '../wanted-state.ts'
import { repositoryWords } from './restore.ts'

interface VerifyFlags {
  readonly level: VerifyLevel
  readonly backup?: string
  readonly subset?: number
  readonly maxDuration?: number
  readonly scratch?: string
}

export const addVerify: AddCommand = (program, run) => {
  program
    .command('verify')
    .summary('prove that backups can be restored')
    .description(
      'Checks backups, and remembers what was checked when. metadata: every index is sound and every chain complete. data: also every stored byte. restore: also each backup by a trial restore.',
    )
    .argument('[database...]', 'names in the repository, or paths; default: all')
    .addOption(
      new Option('-l, --level <level>', 'how far to go').choices(['metadata', 'data', 'restore']).default('data'),
    )
    .option('--backup <backup>', 'only this backup (id or name) and what it needs')
    .option(
      '--subset <part>',
      'only a part of all that there is, at least one object, least recently checked first: 10%, 1/7',
      part,
    )
    .option(
      '--max-duration <duration>',
      'begin nothing more after this time: 10m; half of it is for trial restores',
      duration,
    )
    .option('--scratch <folder>', 'where trial restores go; default: the temporary folder')
    .addHelpText(
      'after',
      examples([
        ['holdfast verify', 'every stored byte'],
        [
          'holdfast verify --level restore --subset 10%',
          'a tenth of all backups by trial restore; daily, all in ten days',
        ],
        ['holdfast verify app --level restore --max-duration 10m', 'as many as ten minutes allow'],
      ]),
    )
    .action((names: string[], flags: VerifyFlags, command) =>
      run(command, 'verify', (session) =>
        session.journal.recorded(operationOf(names, flags), () => verify(session, names, flags), ending),
      ),
    )
}

function operationOf(names: readonly string[], { level, backup, subset, maxDuration }: VerifyFlags): OperationFacts {
  const [only, another] = names
  return {
    kind: 'verify',
    database: another === undefined ? only : undefined,
    type: level,
    parameters: {
      databases: names.length === 0 ? 'all' : names.join(' '),
      backup: backup ?? null,
      subset: subset ?? null,
      maxDurationMs: maxDuration ?? null,
    },
  }
}

function ending({ data }: Outcome<'verify'>): Ending {
  return verifyEnding(data)
}

async function verify(session: Session, names: readonly string[], flags: VerifyFlags): Promise<Outcome<'verify'>> {
  await using repository = await openRepository(session)
  const { verifyRepository } = await import('../../verify/verify-repository.ts')
  const result = await withProgress(session, 'verify', (onProgress) =>
    verifyRepository(repository, {
      level: flags.level,
      databases: names.length === 0 ? undefined : names,
      backup: flags.backup,
      subset: flags.subset,
      maxDurationMs: flags.maxDuration,
      scratchFolder: flags.scratch,
      signal: session.signal,
      onProgress,
    }),
  )
  for (const warning of result.warnings) session.output.warn(warning)
  const findings = result.findings.map(({ database, object, problem, affectedBackups }) => {
    return { database: database ?? null, object, problem, affectedBackups: [...affectedBackups] }
  })
  return {
    data: {
      ...result,
      checked: { ...result.checked },
      findings,
      restorable: [...result.restorable],
      warnings: [...result.warnings],
    },
    text: verifyText(result, await neededBackups(session, repository, result)),
    ...(result.ok ? { brief: '' } : { exitCode: exitCodes.integrity }),
  }
}

/** Where a newer good backup is whole, damage to older ones asks for no new one. */
async function neededBackups(session: Session, repository: Repository, { findings }: VerifyResult): Promise<string[]> {
  const commands: string[] = []
  const lost = new Set(findings.flatMap(({ affectedBackups }) => affectedBackups))
  for (const name of new Set(findings.flatMap(({ database }) => database ?? []))) {
    const { backups } = await repository.database(name).catalog({ signal: session.signal })
    const newest = backups.findLast(({ damaged }) => !damaged)
    if (newest === undefined || !lost.has(newest.id)) continue
    const words = ['holdfast', 'backup', newest.location, '--database', name, '--type', 'full']
    commands.push(commandLine([...words, ...repositoryWords(session)]))
  }
  return commands
}
