import { type ErrorCode, exitCodes, HoldfastError } from '../../errors.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import { expireText } from '../present/expire.ts'
import { worstExitCode } from '../report-error.ts'
import { type Outcome, openRepository, type Session } from '../session.ts'
import { type ChosenPolicy, policyChooser } from './choose-policy.ts'
import { type ExpireFlags, expireEnd, expireFacts, expireOne, isConfirmed, isNothing } from './expire-one.ts'
import type { ExpireData } from './upkeep-data.ts'

interface Failure {
  readonly database: string
  readonly error: HoldfastError
}

/**
 * Each database by its own policy. All plans are made, shown and confirmed before the first of them is carried out. What keeps one of them
 * from it keeps no other: all that can be done is done, and the worst that happened is the status.
 */
export async function expireAll(session: Session, flags: ExpireFlags): Promise<Outcome<'expire'>> {
  await using repository = await openRepository(session)
  const names = await repository.databaseNames({ signal: session.signal })
  const choose = await policyChooser(session, repository, flags)
  const all = new Failures(session, names.length === 1)
  const plans: { database: DatabaseRepository; chosen: ChosenPolicy; planned: ExpireData }[] = []
  for (const name of names) {
    const database = repository.database(name)
    const facts = expireFacts(name, flags)
    const recorded = <T>(work: () => Promise<T>) =>
      session.journal.recordedFailure(facts === undefined ? [] : [facts], work)
    const chosen = await all.attempt(name, () => recorded(() => choose(name)), ['USAGE'])
    if (chosen === undefined) continue
    await all.attempt(name, async () => {
      const planned = await recorded(() => expireOne(session, database, chosen, true))
      plans.push({ database, chosen, planned })
    })
  }
  const planned = plans.map((each) => each.planned)
  if (flags.dryRun === true) return outcomeOf(planned, all.found, true)
  if (flags.yes !== true && !planned.every(isNothing) && !(await isConfirmed(session, planned)))
    return { ...outcomeOf(planned, all.found, true), text: 'Nothing was changed.', exitCode: exitCodes.error }
  const done: ExpireData[] = []
  for (const { database, chosen } of plans) {
    const work = async () => ({ data: await expireOne(session, database, chosen, false), text: '' })
    await all.attempt(database.name, async () => {
      done.push((await session.journal.recorded(expireFacts(database.name, flags), work, expireEnd)).data)
    })
  }
  return { ...outcomeOf(done, all.found, false), brief: '' }
}

/** Codes of what is never the matter with one database alone. */
const commonTroubles: readonly ErrorCode[] = ['ABORTED', 'USAGE', 'MIRROR', 'REPOSITORY_NOT_FOUND']

class Failures {
  readonly found: Failure[] = []
  readonly #session: Session
  readonly #isAlone: boolean

  constructor(session: Session, isAlone: boolean) {
    this.#session = session
    this.#isAlone = isAlone
  }

  /** @param own codes of what, in this work, is the matter with one database alone. @returns undefined if it failed */
  async attempt<T>(database: string, work: () => Promise<T>, own: readonly ErrorCode[] = []): Promise<T | undefined> {
    try {
      return await work()
    } catch (error) {
      const { output, signal } = this.#session
      if (!(error instanceof HoldfastError)) throw error
      if (commonTroubles.includes(error.code) && !own.includes(error.code)) throw error
      if (this.#isAlone || signal.aborted) throw error
      this.found.push({ database, error })
      output.warn(`Not expired: ${database}. ${error.message}${error.hint === undefined ? '' : ` ${error.hint}`}`)
      return undefined
    }
  }
}

/** Of several databases in one: the lists of all, the sums of all. */
function outcomeOf(all: readonly ExpireData[], failures: readonly Failure[], dryRun: boolean): Outcome<'expire'> {
  const sum = (of: (one: ExpireData) => number) => all.reduce((total, one) => total + of(one), 0)
  const exitCode = failures.length === 0 ? undefined : worstExitCode(failures.map(({ error }) => error.exitCode))
  const isEmpty = all.length + failures.length === 0
  return {
    data: {
      database: null,
      dryRun,
      policy: null,
      policyFrom: null,
      keep: all.flatMap(({ keep }) => keep),
      drop: all.flatMap(({ drop }) => drop),
      merged: all.flatMap(({ merged }) => merged),
      deleted: all.flatMap(({ deleted }) => deleted),
      waiting: all.flatMap(({ waiting }) => waiting),
      freedBytes: sum(({ freedBytes }) => freedBytes),
      waitingBytes: sum(({ waitingBytes }) => waitingBytes),
      failures: failures.map(({ database, error: { code, message, hint = null } }) => {
        return { database, code, message, hint }
      }),
      simulation: null,
    },
    text: isEmpty ? 'The repository holds no database.' : all.map(expireText).join('\n\n'),
    ...(exitCode === undefined ? {} : { exitCode }),
  }
}
