import { type AddCommand, examples } from '../program.ts'
import type { PinFlags } from '../upkeep/set-pin.ts'

export const addUnpin: AddCommand = (program, run) => {
  program
    .command('unpin')
    .summary('let retention drop a backup again')
    .description('Takes a pin away: retention then counts the backup like any other.')
    .argument('<backup>', "the backup's id, the beginning of it, or its name")
    .option('--database <name>', 'look only at this database')
    .addHelpText(
      'after',
      examples([
        ['holdfast unpin k3v9', 'by the beginning of its id'],
        ['holdfast unpin before-migration --database app', 'by its name'],
      ]),
    )
    .action((id: string, flags: PinFlags, command) =>
      run(command, 'unpin', async (session) => {
        const { setPin } = await import('../upkeep/set-pin.ts')
        return await setPin(session, 'unpin', id, flags)
      }),
    )
}
