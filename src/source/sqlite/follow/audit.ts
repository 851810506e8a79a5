import { lockPage } from '../../../util/lock-page.ts'
import type { CommitReceiver } from '../../follower.ts'
import { holdState } from '../held-state.ts'
import { parseHorizon } from '../log/wal-index.ts'
import { readPages } from '../page-reader.ts'
import type { Taken } from './commit-stream.ts'
import type { Roller } from './roller.ts'
import type { FollowerResources } from './sqlite-follower.ts'

/**
 * Takes all commits up to one exactly, reads that commit's state as a snapshot does (with a map of the log of its own), and
 * compares the hash of every page.
 */
export async function isAudited(
  { probe, descriptors, pair, reads, waiting }: FollowerResources,
  roller: Roller,
  receiver: CommitReceiver,
  taken: Taken,
  signal: AbortSignal | undefined,
): Promise<boolean> {
  const { begun, pin } = await pair.beginYoungerExactly({ ...waiting, signal })
  let isEqual = false
  await roller.takeOver(pin, async () => {
    if (begun.horizon === undefined) return false
    const horizon = parseHorizon(Buffer.from(begun.horizon.header))
    await roller.takeHorizon({ horizon }, receiver, taken, signal)
    using state = await holdState(probe, descriptors, begun, signal)
    const { table } = roller.stream
    isEqual = state.pages.pageCount === table.pageCount
    let pagesLeft = table.pageCount - (lockPage(state.pages.pageSize) <= table.pageCount ? 1 : 0)
    for await (const { pages, hashes } of readPages(state.pages, reads, signal)) {
      pagesLeft -= pages.length
      for (let index = 0; index < pages.length; index++) {
        if (hashes[index] !== table.hash(pages[index] ?? 0)) isEqual = false
      }
    }
    if (pagesLeft !== 0) isEqual = false
    return true
  })
  return isEqual
}
