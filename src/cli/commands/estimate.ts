import { planData } from '../json/to-json.ts'
import { offerNearest } from '../offer-nearest.ts'
import { planText } from '../present/restore.ts'
import { type AddCommand, examples } from '../program.ts'
import { type Outcome, openRepository, type Session, withProgress } from '../session.ts'
import { addStateOptions, commandLine, type StateFlags, wantedData, wantedState, wantedText } from '../wanted-state.ts'
import { repositoryWords } from './restore.ts'

export const addEstimate: AddCommand = (program, run) => {
  const command = program
    .command('estimate')
    .summary('say what a restore would take')
    .description(
      'Says how long a restore would take, what it would fetch and write, and by which steps. Fetches only indexes.',
    )
    .argument('<database>', 'name in the repository, or path')
  addStateOptions(command)
    .addHelpText(
      'after',
      examples([
        ['holdfast estimate app --latest', 'for the newest state'],
        ['holdfast estimate app --before --at "yesterday 14:00"', 'for the last one before a time'],
      ]),
    )
    .action((name: string, flags: StateFlags, self) =>
      run(self, 'estimate', (session) => estimate(session, name, flags)),
    )
}

async function estimate(session: Session, name: string, flags: StateFlags): Promise<Outcome<'estimate'>> {
  const { signal, output } = session
  const state = await wantedState(flags, session.now())
  await using repository = await openRepository(session)
  const database = await repository.findDatabase(name, { signal })
  output.note(`Looking for ${wantedText(state)} of ${database.name}.`)
  const { planDatabaseRestore } = await import('../../restore/plan-restore.ts')
  const commandFor = (wanted: string) =>
    `${commandLine(['holdfast', 'estimate', database.name, ...repositoryWords(session)])} ${wanted}`
  const plan = await offerNearest(database, state, commandFor, () =>
    withProgress(session, database.name, () => planDatabaseRestore(database, state, { signal })),
  )
  return { data: { wanted: wantedData(state), plan: planData(plan) }, text: planText(plan) }
}
