import { Option } from 'commander'
import type { Codec } from '../../segment/segment.ts'
import { duration, size, wholeNumber } from '../parse/option-values.ts'
import { type AddCommand, examples } from '../program.ts'

export interface FollowFlags {
  readonly database?: string
  readonly state?: string
  readonly syncInterval: number
  readonly enableWal?: true
  readonly deltaInterval: number
  readonly handOff: number
  readonly handOffAge: number
  readonly audit: number
  readonly spoolLimit: number
  readonly codec: Codec
  readonly level?: number
  readonly wait?: number
  readonly busyTimeout?: number
}

export const addFollow: AddCommand = (program, run) => {
  program
    .command('follow')
    .summary('make every commit a restore point, while it runs')
    .description(
      'Follows live databases: from its start on, every commit becomes a restore point, within about a second. Nothing is written into the databases. Ctrl-C takes what was committed, uploads it, and says what is left; the next start goes on from there.',
    )
    .argument('<database...>', 'paths of SQLite databases')
    .optionsGroup('What to follow:')
    .option('--database <name>', "name of the database in the repository; default: the file's")
    .option('--enable-wal', 'switch a database without a write-ahead log to one, for good')
    .addOption(
      withDefault(
        '--delta-interval <duration>',
        'look so often at a database without a write-ahead log',
        '60s',
        duration,
      ),
    )
    .optionsGroup('How:')
    .addOption(withDefault('--sync-interval <duration>', 'upload so often', '1s', duration))
    .option('--state <folder>', 'where commits wait for their upload; default: a folder of the user')
    .addOption(withDefault('--spool-limit <size>', 'let so much wait while the repository is away', '1GiB', size))
    .addOption(withDefault('--hand-off <size>', "hand the database's log back when it is so large", '4MiB', size))
    .addOption(withDefault('--hand-off-age <duration>', 'or so old', '60s', duration))
    .addOption(withDefault('--audit <duration>', 'compare the whole database so often; 0: never', '24h', duration))
    .addOption(new Option('--codec <codec>', 'compression').choices(['none', 'gzip', 'zstd']).default('zstd'))
    .option('--level <number>', 'compression level', wholeNumber(-7, 22))
    .option('--wait <duration>', 'wait so long for another process that works on the same database', duration)
    .option(
      '--busy-timeout <duration>',
      "wait so long for another program's lock on the database (default: 5s)",
      duration,
    )
    .addHelpText(
      'after',
      examples([
        ['holdfast follow data/app.db', 'until Ctrl-C; then "holdfast points app"'],
        ['holdfast follow data/*.db --sync-interval 5s', 'several, with fewer uploads'],
        ['holdfast follow data/app.db --json', 'events as lines of JSON'],
      ]),
    )
    .action((paths: string[], flags: FollowFlags, command) =>
      run(command, 'follow', async (session) => {
        const { follow } = await import('../follow/follow.ts')
        return await follow(session, paths, flags)
      }),
    )
}

function withDefault(flags: string, description: string, value: string, parse: (text: string) => number): Option {
  return new Option(flags, description).argParser(parse).default(parse(value), value)
}
