import { type AddCommand, examples } from '../program.ts'

export const addNotify: AddCommand = (program, run) => {
  const notify = program
    .command('notify')
    .summary('try the ways in which the agent tells people')
    .description(
      'Works on the channels below "notify" in the configuration of the agent: webhooks, e-mail, commands and heartbeats. docs/alerts.md describes them.',
    )
    .addHelpText(
      'after',
      examples([
        ['holdfast notify test', 'send a test message through every channel'],
        ['holdfast notify test --channel ops', 'only through one'],
      ]),
    )
  notify
    .command('test')
    .summary('send a test message through every channel')
    .description(
      'Sends a test message through every channel of the configuration, once, and says what became of each. A heartbeat gets a ping of success. The exit status is 1 if one did not get through.',
    )
    .option('--channel <name>', 'only through this one')
    .addHelpText(
      'after',
      examples([
        ['holdfast notify test', 'through every channel of holdfast.yaml'],
        ['holdfast notify test --channel ops --json', 'through one, for scripts'],
      ]),
    )
    .action(({ channel }: { channel?: string }, command) =>
      run(command, 'notify test', async (session) => {
        const { testNotify } = await import('../notify/test-notify.ts')
        return await testNotify(session, channel)
      }),
    )
}
