import { Option } from 'commander'
import { duration, wholeNumber } from '../parse/option-values.ts'
import { type AddCommand, examples } from '../program.ts'
import type { ExpireFlags } from '../upkeep/expire-one.ts'
import { addPolicyOptions } from '../upkeep/policy-flags.ts'
import type { SimulationFlags } from '../upkeep/simulate.ts'

interface Flags extends ExpireFlags, SimulationFlags {
  readonly simulate?: true
}

export const addExpire: AddCommand = (program, run) => {
  const command = program
    .command('expire')
    .summary('let go of backups by a retention policy')
    .description(
      'Keeps what a policy says, each backup with its reasons, and lets the others go: their segments are deleted a day later, by a later run. Without any option for the policy, that of the configuration counts, which must speak of the database; without one, 7 daily, 4 weekly, 12 monthly, 7 yearly. Asks first. docs/retention.md describes it.',
    )
    .argument('[database]', 'name in the repository, or path; default: every database of the repository')
  addPolicyOptions(command)
    .option('--grace <duration>', 'how long what nothing needs any more stays (24h)', duration)
    .option('-n, --dry-run', 'only say what would be done, and why')
    .option('-y, --yes', 'do not ask; needed where there is no terminal')
    .option('--simulate', 'show what the policy would leave of regular backups; needs no repository')
    .addOption(
      new Option('--every <interval>', 'how often the simulation makes a backup')
        .choices(['hourly', 'daily', 'weekly'])
        .default('daily'),
    )
    .option('--years <n>', 'how long the simulation goes on', wholeNumber(1, 100), 2)
    .addHelpText(
      'after',
      examples([
        ['holdfast expire app --dry-run', 'what would be kept and dropped, and why'],
        ['holdfast expire --dry-run', 'the same of every database, each by its own policy'],
        ['holdfast expire app --keep-last 3 --keep-daily 7 --keep-weekly 4 --yes', 'in a script'],
        ['holdfast expire --simulate --keep-daily 7 --keep-monthly 12', 'what a policy leaves in the long run'],
        ['holdfast expire app --simulate', 'what the configured policy of app does'],
      ]),
    )
    .action((name: string | undefined, flags: Flags, self) =>
      run(self, 'expire', async (session) => {
        if (flags.simulate === true) {
          const { simulate } = await import('../upkeep/simulate.ts')
          return await simulate(session, name, flags)
        }
        if (name === undefined) {
          const { expireAll } = await import('../upkeep/expire-all.ts')
          return await expireAll(session, flags)
        }
        const { expireEnd, expireFacts, expireNamed } = await import('../upkeep/expire-one.ts')
        const facts = expireFacts(name, flags)
        return await session.journal.recorded(facts, () => expireNamed(session, name, flags), expireEnd)
      }),
    )
}
