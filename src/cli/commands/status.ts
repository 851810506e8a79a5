import { type AddCommand, examples } from '../program.ts'

export const addStatus: AddCommand = (program, run) => {
  program
    .command('status')
    .summary('ask the running agent how things are')
    .description(
      'Shows whether everything is all right, each database with its following, its last backup and what is due next, and what the agent does now. Exit status 0 if all is well, 3 with warnings, 1 if something critical is wrong, 4 if no agent runs.',
    )
    .addHelpText(
      'after',
      examples([
        ['holdfast status', 'of the agent with holdfast.yaml of this folder'],
        ['holdfast status --json', 'for programs'],
      ]),
    )
    .action((_flags, command) =>
      run(command, 'status', async (session) => {
        const { status } = await import('../agent/status.ts')
        return await status(session)
      }),
    )
}
