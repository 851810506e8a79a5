import { toLsn } from '../history/lsn.ts'
import type { Pause } from '../history/pause.ts'
import { pauseAt } from '../history/pause.ts'
import { knownPoints, type RestorePoint } from '../history/reachable.ts'
import { type Resolution, resolveLsn, resolveTime } from '../history/resolve-time.ts'
import { acknowledgedSegments } from '../repository/acknowledged.ts'
import type { Catalog } from '../repository/catalog.ts'
import type { RestoreTargetState } from './restore-options.ts'

/** What lies around a state that cannot be had. */
export interface NearestStates {
  readonly before: RestorePoint | undefined
  readonly after: RestorePoint | undefined
  /** Why a time names none, if commits were made then that are all known. */
  readonly pause: Pause | undefined
}

export type MomentOrLsn = RestoreTargetState & { readonly by: 'time' | 'lsn' }

export function nearestStates(catalog: Catalog, state: MomentOrLsn): NearestStates {
  const segments = acknowledgedSegments(catalog)
  const { before, after } = around(
    state.by === 'time'
      ? resolveTime(segments, state.time, { ...catalog, before: state.before })
      : resolveLsn(segments, toLsn(state.lsn), { before: state.before }),
    () => {
      const points = knownPoints(segments)
      const side = (point: RestorePoint) => (state.by === 'time' ? point.time - state.time : point.lsn - state.lsn)
      return { before: points.findLast((point) => side(point) < 0), after: points.find((point) => side(point) > 0) }
    },
  )
  return { before, after, pause: state.by === 'time' ? pauseAt(catalog.pauses, state.time) : undefined }
}

/** What should be there and is not has neighbours too. */
function around(
  resolution: Resolution,
  otherwise: () => Pick<NearestStates, 'before' | 'after'>,
): Pick<NearestStates, 'before' | 'after'> {
  return resolution.kind === 'between' || resolution.kind === 'unreachable' ? resolution : otherwise()
}
