import { Command, Option } from 'commander'
import { version } from '../util/version.ts'
import { addAgents } from './commands/agents.ts'
import { addAudit } from './commands/audit.ts'
import { addBackup } from './commands/backup.ts'
import { addCompact } from './commands/compact.ts'
import { addCompletion } from './commands/completion.ts'
import { addConfig } from './commands/config.ts'
import { addDelete } from './commands/delete.ts'
import { addDoctor } from './commands/doctor.ts'
import { addDrill } from './commands/drill.ts'
import { addEstimate } from './commands/estimate.ts'
import { addExpire } from './commands/expire.ts'
import { addFollow } from './commands/follow.ts'
import { addHistory } from './commands/history.ts'
import { addInit } from './commands/init.ts'
import { addList } from './commands/list.ts'
import { addMirror } from './commands/mirror.ts'
import { addNotify } from './commands/notify.ts'
import { addPin } from './commands/pin.ts'
import { addPoints } from './commands/points.ts'
import { addRestore } from './commands/restore.ts'
import { addRun } from './commands/run.ts'
import { addSchedule } from './commands/schedule.ts'
import { addShow } from './commands/show.ts'
import { addStats } from './commands/stats.ts'
import { addStatus } from './commands/status.ts'
import { addUnpin } from './commands/unpin.ts'
import { addVerify } from './commands/verify.ts'
import type { CommandName } from './json/schemas.ts'
import type { Outcome, Session } from './session.ts'

/** Runs a command's work: makes the session, prints the outcome. */
export type Run = <Name extends CommandName>(
  command: Command,
  name: Name,
  work: (session: Session) => Promise<Outcome<Name>>,
) => Promise<void>

/** A command of the program; declares its arguments and options, and loads what it needs only when it runs. */
export type AddCommand = (program: Command, run: Run) => void

export interface GlobalFlags {
  readonly repository: string
  readonly config?: string
  readonly json?: true
  readonly quiet?: true
  readonly verbose?: true
}

/** In the order of the help: first what is needed first. */
const commands: readonly AddCommand[] = [
  addInit,
  addBackup,
  addFollow,
  addRun,
  addStatus,
  addAgents,
  addList,
  addShow,
  addHistory,
  addStats,
  addAudit,
  addPoints,
  addEstimate,
  addRestore,
  addVerify,
  addDrill,
  addDelete,
  addPin,
  addUnpin,
  addExpire,
  addCompact,
  addMirror,
  addDoctor,
  addConfig,
  addSchedule,
  addNotify,
  addCompletion,
]

/** @param form with JSON, a complaint is a line of its own, and no help goes with it */
export function buildProgram(run: Run, form: { readonly json: boolean }): Command {
  const program = new Command('holdfast')
    .description('Backs up live SQLite databases and gives them back, proven.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [command]', 'print the help of a command')
    .configureHelp({ showGlobalOptions: true, visibleGlobalOptions: optionsOfAll })
    .exitOverride()
    .configureOutput({ outputError: () => {}, ...(form.json ? { writeErr: () => {} } : {}) })
    .addOption(
      new Option('-r, --repository <place>', 'path or URL of the repository')
        .env('HOLDFAST_REPOSITORY')
        .default('./backups'),
    )
    .addOption(
      new Option('--config <path>', 'configuration file, which also names the repository; default: holdfast.yaml').env(
        'HOLDFAST_CONFIG',
      ),
    )
    .option('--json', 'write lines of JSON to stdout (docs/cli-json.md)')
    .option('-q, --quiet', 'print only the result: no notes, no progress')
    .option('-v, --verbose', 'tell more; with an error, where it came from')
  for (const add of commands) add(program, run)
  return program.addHelpText(
    'after',
    examples([
      ['holdfast init', 'make a repository in ./backups'],
      ['holdfast backup data/app.db', 'back up a database that may be in use'],
      ['holdfast follow data/app.db', 'or make every commit a restore point'],
      ['holdfast restore app --latest --to recovered.db', 'get it back, proven'],
    ]) + exitStatuses,
  )
}

/** Those of the program. A command with its own options and commands below it keeps the former to itself. */
function optionsOfAll(command: Command): Option[] {
  let root = command
  while (root.parent !== null) root = root.parent
  return root === command ? [] : root.options.filter(({ hidden }) => !hidden)
}

export function examples(lines: readonly (readonly [command: string, what: string])[]): string {
  const width = Math.max(...lines.map(([command]) => command.length))
  const shown = lines.map(([command, what]) => `  ${command.padEnd(width)}  # ${what}`)
  return `\nExamples:\n${shown.join('\n')}\n`
}

const exitStatuses = `
Exit status: 0 done, 1 error, 2 wrong usage, 3 done with warnings, 4 not found, 5 damage found,
6 locked by another process, 7 storage unreachable, 8 wrong key, 130 interrupted.
`
