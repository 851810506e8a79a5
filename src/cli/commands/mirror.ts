import { Option } from 'commander'
import type { MirrorFlags } from '../mirror/mirror.ts'
import { duration, several, wholeNumber } from '../parse/option-values.ts'
import { type AddCommand, examples } from '../program.ts'
import { usageError } from '../usage-error.ts'

interface Flags extends MirrorFlags {
  readonly promote?: string
  readonly force?: true
}

export const addMirror: AddCommand = (program, run) => {
  program
    .command('mirror')
    .summary('bring copies of the repository in other places up to date')
    .description(
      'Copies what is new in the repository to a mirror, or begins one in an empty place. Every object is checked while it is copied, so that damage does not spread. What was deleted in the repository is deleted on the mirror a week later; what got lost there is kept. A mirror can be restored from like a repository, with --repository; nothing else writes to it.',
    )
    .argument('[to...]', 'paths or URLs; default: "mirrors" of the configuration')
    .option('-n, --dry-run', 'only say what would be done')
    .option('--database <name>', 'only this database; more than once', several)
    .option('--begin', 'begin anew in an empty place where a mirror was before')
    .option('--wait <duration>', 'how long to wait while somebody else mirrors to the same place (0s)', duration)
    .optionsGroup('Deleting:')
    .option('--grace <duration>', 'how long what was deleted in the repository stays on the mirror (7d)', duration)
    .addOption(
      new Option(
        '--max-delete <backups>',
        'delete nothing of a database of which more would go (half of them, but at least 10)',
      ).argParser(wholeNumber(0, Number.MAX_SAFE_INTEGER)),
    )
    .option('--drop-missing', 'delete, after the grace, also what is gone without a record of its deletion')
    .optionsGroup('When the repository is lost:')
    .option('--promote <mirror>', 'make a mirror a repository of its own')
    .option('--force', 'with --promote: also one that was never complete')
    .addHelpText(
      'after',
      examples([
        ['holdfast mirror /mnt/nas/holdfast', 'begin a mirror, or bring it up to date'],
        ['holdfast mirror --dry-run', 'those of the configuration: what there is to do'],
        ['holdfast mirror /mnt/usb/holdfast --grace 30d', 'keep there for longer what was deleted'],
        ['holdfast mirror --promote /mnt/nas/holdfast', 'after the repository was lost'],
      ]),
    )
    .action((to: string[], { promote: place, force, ...flags }: Flags, command) =>
      run(command, 'mirror', async (session) => {
        if (force === true && place === undefined) throw usageError('--force goes with --promote.')
        if (place !== undefined) {
          if (to.length > 0 || Object.keys(flags).length > 0)
            throw usageError('--promote names the mirror itself, and goes with nothing else but --force.')
          const { promote } = await import('../mirror/promote.ts')
          return await promote(session, place, force === true)
        }
        const { mirror } = await import('../mirror/mirror.ts')
        return await mirror(session, to, flags)
      }),
    )
}
