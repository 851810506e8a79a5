import { HoldfastError, hasCode } from '../errors.ts'
import type { DatabaseRepository } from '../repository/database-repository.ts'
import type { MomentOrLsn, NearestStates } from '../restore/nearest-states.ts'
import type { RestoreTargetState } from '../restore/restore-options.ts'
import { formatFullTime, formatTime } from './format/time.ts'
import { wantedText } from './wanted-state.ts'

/**
 * Runs the work on a state. Where that state cannot be had, the error offers the same command for the nearest ones that can,
 * ready to paste.
 */
export async function offerNearest<T>(
  database: DatabaseRepository,
  state: RestoreTargetState,
  commandFor: (state: string) => string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!hasCode(error, 'NOT_RESTORABLE') || (state.by !== 'time' && state.by !== 'lsn')) throw error
    const { nearestStates } = await import('../restore/nearest-states.ts')
    const nearest = nearestStates(await database.catalog(), state)
    const lines = (['before', 'after'] as const).flatMap((side) => {
      const point = nearest[side]
      return point === undefined ? [] : [`  ${commandFor(`--lsn ${point.lsn}`)}  # ${side}: ${formatTime(point.time)}`]
    })
    if (lines.length === 0) throw error
    throw new HoldfastError(error.code, unknownText(database.name, state, nearest), {
      object: error.object,
      hint: `the nearest states that can be had:\n${lines.join('\n')}`,
      cause: error.cause,
    })
  }
}

/** The neighbours stand in the hint, each once, with their commands; times are local here as they are there. */
function unknownText(name: string, state: MomentOrLsn, { before, after, pause }: NearestStates): string {
  if (state.by === 'lsn' && state.before === true && before === undefined && after !== undefined)
    return `There is no state of ${name} before LSN ${state.lsn}: the first that can be restored is LSN ${after.lsn}.`
  if (state.by === 'lsn') return `${name} cannot be restored to ${wantedText(state)}.`
  const time = formatFullTime(state.time)
  if (before === undefined) return `${time} is before the first state of ${name} that is known.`
  if (after === undefined)
    return `${time} is after the newest state of ${name} that is known; what it held then is not.`
  if (pause === undefined) return `What ${name} held at ${time} is not known: it lies between two captured states.`
  const commits = pause.toLsn === pause.fromLsn + 1 ? `${pause.toLsn}` : `${pause.fromLsn + 1} to ${pause.toLsn}`
  return `What ${name} held at ${time} is not known: it was not followed then. The commits of that time, LSN ${commits}, can be restored by LSN.`
}
