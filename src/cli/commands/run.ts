import { HangUps } from '../agent/hang-ups.ts'
import { type AddCommand, examples } from '../program.ts'

export const addRun: AddCommand = (program, run) => {
  program
    .command('run')
    .summary('run the agent: everything in holdfast.yaml')
    .description(
      'Keeps the databases of a configuration safe, unattended: follows them, runs their schedules, and notifies when something is wrong. It runs in the foreground, for a service manager; SIGTERM stops it in order, SIGHUP or a change of the file makes it read the configuration anew.',
    )
    .addHelpText(
      'after',
      examples([
        ['holdfast run', 'with holdfast.yaml of this folder; "holdfast config example" prints one to begin with'],
        ['holdfast run --config /etc/holdfast.yaml', 'with another one'],
      ]),
    )
    .action((_flags, command) => {
      const hangUps = new HangUps()
      return run(command, 'run', async (session) => {
        const { runAgent } = await import('../agent/run-agent.ts')
        return await runAgent(session, hangUps)
      })
    })
}
