import { formatFacts } from '../format/table.ts'
import { shellWord } from '../format/text.ts'
import { type AddCommand, examples } from '../program.ts'
import type { Outcome, Session } from '../session.ts'

export const addInit: AddCommand = (program, run) => {
  program
    .command('init')
    .summary('make a repository')
    .description('Makes a repository, and finds out what its storage can do. An existing one is left as it is.')
    .addHelpText(
      'after',
      examples([
        ['holdfast init', 'in ./backups'],
        ['holdfast init --repository /mnt/nas/holdfast', 'in another folder'],
      ]),
    )
    .action((_flags, command) => run(command, 'init', init))
}

async function init({ location, signal }: Session): Promise<Outcome<'init'>> {
  const [{ openStorage }, { Repository }] = await Promise.all([
    import('../../storage/open-storage.ts'),
    import('../../repository/repository.ts'),
  ])
  const storage = await openStorage(location)
  await using cleanup = new AsyncDisposableStack()
  cleanup.defer(() => storage.close())
  const { id, url, createdAt, capabilities } = await Repository.init(storage, { signal })
  const can = (yes: boolean, what: string, otherwise: string) => (yes ? what : otherwise)
  const facts = formatFacts([
    ['id', id],
    ['place', url],
    [
      'writers',
      can(
        capabilities.conditionalCreate && capabilities.conditionalReplace,
        'kept apart by the storage itself',
        'kept apart by waiting: the storage has no conditional writes',
      ),
    ],
    [
      'listing',
      can(
        capabilities.consistentList,
        'shows every change at once',
        'may lag behind; nothing is deleted because of what it does not show',
      ),
    ],
  ])
  const next = `Next: holdfast backup DATABASE${location === './backups' ? '' : ` --repository ${shellWord(location)}`}`
  return {
    data: { repository: { id, url, createdAt, capabilities } },
    text: `Made a repository.\n${facts}\n\n${next}`,
    brief: '',
  }
}
