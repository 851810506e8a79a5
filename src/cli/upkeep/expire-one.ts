import type { Ending } from '../../agent/journal/ending.ts'
import { expireEnding } from '../../agent/journal/upkeep-ending.ts'
import { expireAnywhere } from '../../capture/control/upkeep-through-follower.ts'
import { exitCodes } from '../../errors.ts'
import type { DatabaseRepository } from '../../repository/database-repository.ts'
import { confirm } from '../confirm.ts'
import { counted } from '../format/text.ts'
import { expireText } from '../present/expire.ts'
import type { OperationFacts } from '../record/command-journal.ts'
import { type Outcome, openRepository, type Session, withProgress } from '../session.ts'
import { type ChosenPolicy, policyChooser } from './choose-policy.ts'
import { type PolicyFlags, policyOf } from './policy-flags.ts'
import { type ExpireData, expireData } from './upkeep-data.ts'

export interface ExpireFlags extends PolicyFlags {
  readonly grace?: number
  readonly dryRun?: true
  readonly yes?: true
}

/** What is recorded of it; of a dry run nothing. */
export function expireFacts(name: string, flags: ExpireFlags): OperationFacts | undefined {
  if (flags.dryRun === true) return undefined
  const said = Object.entries(policyOf(flags) ?? {}).flatMap(([rule, value]) =>
    value === undefined ? [] : [[rule, value] as const],
  )
  return { kind: 'expire', database: name, parameters: Object.fromEntries(said) }
}

export function expireEnd({ data }: Outcome<'expire'>): Ending {
  const about = { database: data.database ?? undefined }
  if (data.dryRun) return { ...about, outcome: 'interrupted', message: 'It was not confirmed; nothing was changed.' }
  return { ...about, ...expireEnding(data) }
}

/** One database: its plan is made, shown and confirmed before it is carried out. @param name in the repository, or path */
export async function expireNamed(session: Session, name: string, flags: ExpireFlags): Promise<Outcome<'expire'>> {
  await using repository = await openRepository(session)
  const database = await repository.findDatabase(name, { signal: session.signal })
  const choose = await policyChooser(session, repository, flags)
  const chosen = await choose(database.name)
  const planned = await expireOne(session, database, chosen, true)
  if (flags.dryRun === true) return { data: planned, text: expireText(planned) }
  if (flags.yes !== true && !isNothing(planned) && !(await isConfirmed(session, [planned]))) {
    return { data: planned, text: 'Nothing was changed.', exitCode: exitCodes.error }
  }
  const data = await expireOne(session, database, chosen, false)
  return { data, text: expireText(data), brief: '' }
}

export async function expireOne(
  session: Session,
  database: DatabaseRepository,
  { policy, graceMs, policyFrom }: ChosenPolicy,
  dryRun: boolean,
): Promise<ExpireData> {
  const { signal, now, output } = session
  const onWarning = (message: string): void => output.warn(message, database.name)
  const report = await withProgress(session, 'expire', (onProgress) =>
    expireAnywhere(database, policy, { dryRun, graceMs, now: now(), signal, onProgress, onWarning }),
  )
  return expireData(report, policyFrom)
}

export function isNothing({ drop, merged, deleted }: ExpireData): boolean {
  return drop.length + merged.length + deleted.length === 0
}

export async function isConfirmed(session: Session, planned: readonly ExpireData[]): Promise<boolean> {
  session.output.note(planned.map(expireText).join('\n\n'))
  const count = planned.reduce((sum, { drop }) => sum + drop.length, 0)
  const [only, another] = planned.filter(({ drop }) => drop.length > 0)
  const where = another === undefined ? only?.database : counted(planned.length, 'database')
  const backups = count === 0 ? '' : `drop ${counted(count, 'backup')} of ${where}, and `
  const question = `${backups}give up what nothing needs any more?`
  return await confirm(session, `${question.charAt(0).toUpperCase()}${question.slice(1)} This cannot be undone.`)
}
