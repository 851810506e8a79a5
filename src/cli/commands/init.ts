import { readdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
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
    .action((_flags, command) =>
      run(command, 'init', (session) => session.journal.recorded({ kind: 'init' }, () => init(session))),
    )
}

async function init({ location, isLocationImplied, signal, output }: Session): Promise<Outcome<'init'>> {
  const [{ openStorage }, { Repository }, { KnownPlaces }] = await Promise.all([
    import('../../storage/open-storage.ts'),
    import('../../repository/repository.ts'),
    import('../../repository/known-places.ts'),
  ])
  const storage = await openStorage(location)
  await using cleanup = new AsyncDisposableStack()
  cleanup.defer(() => storage.close())
  const others = await otherFiles(storage.url)
  const repository = await Repository.init(storage, { signal })
  await new KnownPlaces().note(repository)
  const { id, url, createdAt, capabilities } = repository
  if (others.length > 0) {
    const shown =
      others.length > 3 ? `${others.slice(0, 3).join(', ')} and ${others.length - 3} more` : others.join(', ')
    output.warn(
      `The folder holds other files too: ${shown}. They are left alone; a repository is better kept apart.`,
      url,
    )
  }
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
  const next = `Next: holdfast backup DATABASE${isLocationImplied ? '' : ` --repository ${shellWord(location)}`}`
  return {
    data: { repository: { id, url, createdAt, capabilities } },
    text: `Made a repository.\n${facts}\n\n${next}`,
    brief: '',
  }
}

/** What lies in the folder and is no part of a repository; nothing in other storages, and none where there is no folder yet. */
async function otherFiles(url: string): Promise<string[]> {
  if (!url.startsWith('file:')) return []
  const { isProbeKey } = await import('../../storage/probe-leftovers.ts')
  const own = /^(holdfast\.json|RECOVERY\.md|FORMAT\.md|databases|audit|lost\+found|\..*@.*)$/
  try {
    return (await readdir(fileURLToPath(url))).filter((name) => !own.test(name) && !isProbeKey(name)).sort()
  } catch {
    // If it is there and cannot be read, init says so.
    return []
  }
}
