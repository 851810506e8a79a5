import { exitCodes } from '../../errors.ts'
import { type Check, checking } from '../doctor/check.ts'
import { doctorText } from '../present/doctor.ts'
import { type AddCommand, examples } from '../program.ts'
import { type Outcome, openRepository, type Session } from '../session.ts'

export const addDoctor: AddCommand = (program, run) => {
  program
    .command('doctor')
    .summary('check that all is fit for backups')
    .description(
      'Checks this machine, the repository and, if named, databases, and says what to mend. Writes only a few small probe objects into the repository, and removes them.',
    )
    .argument('[database...]', 'paths of SQLite databases')
    .addHelpText(
      'after',
      examples([
        ['holdfast doctor', 'this machine and the repository'],
        ['holdfast doctor data/app.db', 'also whether a database can be backed up, and how fast'],
      ]),
    )
    .action((paths: string[], _flags, command) => run(command, 'doctor', (session) => doctor(session, paths)))
}

async function doctor(session: Session, paths: readonly string[]): Promise<Outcome<'doctor'>> {
  const { signal, now } = session
  const checks: Check[] = []
  const add = async (name: string, work: () => Promise<readonly Check[]>) =>
    checks.push(...(await checking(name, signal, work)))
  await add('environment', async () => (await import('../doctor/environment.ts')).checkEnvironment())
  await add('temporary folder', async () => (await import('../doctor/environment.ts')).checkTemporarySpace())
  await add('repository', async () => {
    await using repository = await openRepository(session)
    const { checkRepository } = await import('../doctor/repository.ts')
    const { checkAgents } = await import('../doctor/agents.ts')
    const { checkMirrors } = await import('../doctor/mirrors.ts')
    return [
      ...(await checkRepository(repository, now, signal)),
      ...(await checking('agents', signal, () => checkAgents(repository, now, signal))),
      ...(await checking('mirrors', signal, () => checkMirrors(session, repository))),
    ]
  })
  for (const path of paths) {
    await add(path, async () => (await import('../doctor/database.ts')).checkSource(path, now, signal))
  }
  const has = (status: Check['status']) => checks.some((check) => check.status === status)
  return {
    data: { checks },
    text: doctorText(checks),
    exitCode: has('failure') ? exitCodes.error : has('warning') ? exitCodes.warnings : exitCodes.ok,
  }
}
