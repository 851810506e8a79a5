import type { Ending } from '../../agent/journal/ending.ts'
import type { FollowFlags } from '../commands/follow.ts'
import type { ResultData } from '../json/schemas.ts'
import type { OperationFacts } from '../record/command-journal.ts'
import type { Outcome, Session } from '../session.ts'
import type { Followed } from './followed.ts'

/** Follows databases, and records it: of each, one operation from its start to its end. */
export async function recordedFollow(
  { journal }: Session,
  databases: readonly Followed[],
  flags: FollowFlags,
  work: () => Promise<Outcome<'follow'>>,
): Promise<Outcome<'follow'>> {
  const begun = await Promise.all(
    databases.map(async (followed) => ({ followed, operation: await journal.begin(operationOf(followed, flags)) })),
  )
  let outcome: Outcome<'follow'>
  try {
    outcome = await work()
  } catch (thrown) {
    for (const { followed, operation } of begun) await operation?.fail(thrown, followed.figures)
    throw thrown
  }
  for (const { followed, operation } of begun) {
    const told = outcome.data.databases.find(({ location }) => location === followed.location)
    await operation?.end(endingOf(followed, told?.error ?? null))
  }
  return outcome
}

function operationOf({ database, location }: Followed, { enableWal }: FollowFlags): OperationFacts {
  return { kind: 'follow', database, parameters: { path: location, enableWal: enableWal === true } }
}

function endingOf(followed: Followed, error: ResultData<'follow'>['databases'][number]['error']): Ending {
  const { database, mode, figures, ending } = followed
  if (error === null) return { database, ...ending }
  return { database, type: mode, figures, outcome: 'failed', code: error.code, message: error.message }
}
