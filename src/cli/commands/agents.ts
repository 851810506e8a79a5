import { type AddCommand, examples } from '../program.ts'
import { usageError } from '../usage-error.ts'

export const addAgents: AddCommand = (program, run) => {
  const agents = program
    .command('agents')
    .summary('show which agents keep this repository up, and what they left undone')
    .description(
      'Shows, from the repository alone and so on any machine, which agents are expected to follow, back up, verify and drill which databases, and what of that is overdue. Exit status 3 if anything is, or if it cannot be told of something.',
    )
    .addHelpText(
      'after',
      examples([
        ['holdfast agents', 'is every agent doing its work?'],
        ['holdfast agents forget 3f9a1c', 'expect nothing more of one that was retired'],
      ]),
    )
    .action((_flags, command) =>
      run(command, 'agents', async (session) => {
        const { listAgents } = await import('../agents/list-agents.ts')
        return await listAgents(session)
      }),
    )
  agents
    .command('forget')
    .summary('expect nothing more of an agent that was retired')
    .description(
      'Removes what an agent is expected to do, and lets go of what it followed when it was killed, so that nobody is told any more of either. Backups stay. An agent that runs writes it down again.',
    )
    .argument('[agent]', 'its id, or the beginning of it; "holdfast agents" shows it')
    .option('--database <name>', 'instead of an agent: what followed this database without one')
    .addHelpText(
      'after',
      examples([
        ['holdfast agents forget 3f9a1c', 'by the beginning of its id'],
        ['holdfast agents forget --database app', 'a "holdfast follow" that was killed and will not come back'],
        ['holdfast agents forget 3f9a1c -r /srv/backups', 'in another repository'],
      ]),
    )
    .action((agent: string | undefined, { database }: { readonly database?: string }, command) =>
      run(command, 'agents forget', async (session) => {
        const { forgetAgentOf, forgetFollowerOf } = await import('../agents/forget-agent.ts')
        if (agent !== undefined && database === undefined) return await forgetAgentOf(session, agent)
        if (agent === undefined && database !== undefined) return await forgetFollowerOf(session, database)
        throw usageError(
          'Name either an agent or, with --database, a database.',
          'See "holdfast agents forget --help".',
        )
      }),
    )
}
