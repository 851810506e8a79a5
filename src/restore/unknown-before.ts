import { toLsn } from '../history/lsn.ts'
import { latestPoint } from '../history/reachable.ts'
import { resolveTime } from '../history/resolve-time.ts'
import { restorableWindows } from '../history/windows.ts'
import { acknowledgedSegments } from '../repository/acknowledged.ts'
import type { Catalog } from '../repository/catalog.ts'
import type { RestoreTargetState } from './restore-options.ts'

/**
 * Who asks for the last state before a moment may expect the last commit before it. Where a database is followed, but was not, or not without
 * loss, at that very moment, it is said that this is not so. Between one-shot backups nobody expects it. Who asks for the one before an LSN
 * that the history has not reached has most likely mistyped it, and gets what he wanted to get away from.
 */
export function unknownBefore(catalog: Catalog, state: RestoreTargetState): string | undefined {
  if (state.by === 'lsn' && state.before === true) return beyondNewest(catalog, state.lsn)
  if (state.by !== 'time' || state.before !== true) return undefined
  const segments = acknowledgedSegments(catalog)
  const found = resolveTime(segments, state.time, { gaps: catalog.gaps, pauses: catalog.pauses })
  if (found.kind !== 'between') return undefined
  const { before, after } = found
  const isFollowed = restorableWindows(segments, catalog.gaps).windows.some(
    ({ kind, fromLsn, toLsn }) => kind === 'continuous' && fromLsn <= before.lsn && before.lsn <= toLsn,
  )
  if (!isFollowed) return undefined
  const [time, from, to] = [state.time, before.time, after.time].map((each) => new Date(each).toISOString())
  return `What ${catalog.database} held right before ${time} is not known. LSN ${before.lsn} is the newest state that is known before it; commits that were made between ${from} and ${to} are missing from it, whichever of them were before ${time}.`
}

function beyondNewest(catalog: Catalog, wanted: number): string | undefined {
  const newest = latestPoint(acknowledgedSegments(catalog))?.lsn ?? toLsn(0)
  const known = Math.max(newest, ...catalog.backups.map(({ lsn }) => lsn))
  if (wanted <= known + 1) return undefined
  return `No LSN ${wanted} of ${catalog.database} is known: LSN ${known} is the newest. That is what "before LSN ${wanted}" gives.`
}
