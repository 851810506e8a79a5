import { type AddCommand, examples } from '../program.ts'
import type { PinFlags } from '../upkeep/set-pin.ts'

export const addPin: AddCommand = (program, run) => {
  program
    .command('pin')
    .summary('keep a backup whatever the policy says')
    .description('Pins a backup: retention keeps it until it is unpinned. Snapshots are pinned from the start.')
    .argument('<backup>', "the backup's id, the beginning of it, or its name")
    .option('--database <name>', 'look only at this database')
    .addHelpText(
      'after',
      examples([
        ['holdfast pin k3v9', 'keep it, by the beginning of its id'],
        ['holdfast pin before-migration --database app', 'by its name'],
      ]),
    )
    .action((id: string, flags: PinFlags, command) =>
      run(command, 'pin', async (session) => {
        const { setPin } = await import('../upkeep/set-pin.ts')
        return await setPin(session, 'pin', id, flags)
      }),
    )
}
