/** Which objects a run looks at, and in which order. Pure, so that its laws can be tried over years of comings and goings. */

/** What is remembered of the objects of a repository, by their keys. Times are ISO 8601, UTC, with milliseconds. */
export interface CheckHistory {
  /** When each was checked last. */
  readonly checkedAt: (key: string) => string | undefined
  /** When one that was never checked was first seen. */
  readonly waitingSince: (key: string) => string | undefined
}

export interface CheckBudget {
  /** Part of the objects, 0 < subset ≤ 1. */
  readonly subset: number
  /** A check dated later than this was dated by a clock that was wrong: the object is due. */
  readonly now: string
}

/**
 * The objects of one run, in the order in which they are to be checked; a run that must end early stops anywhere.
 *
 * All objects stand in one queue, by how long each has waited: since its last check, or since it was first seen. Objects that were
 * never checked also stand in a second one. The run takes from both in turn, so that
 * - what is new waits behind no more than one old object each, however many old ones there are;
 * - nothing old is passed over for ever, however many new ones keep coming: at least every second check goes to the longest wait;
 * - if nothing comes or goes, `ceil(1 / subset)` runs check everything.
 */
export function chooseNext<T extends { readonly key: string }>(
  history: CheckHistory,
  objects: readonly T[],
  { subset, now }: CheckBudget,
): T[] {
  const waiting = objects.map((object) => {
    const checkedAt = history.checkedAt(object.key)
    const since = checkedAt ?? history.waitingSince(object.key) ?? now
    return { object, isNew: checkedAt === undefined, since: since > now ? '' : since }
  })
  waiting.sort(
    (a, b) => compare(a.since, b.since) || Number(b.isNew) - Number(a.isNew) || compare(a.object.key, b.object.key),
  )
  const longest = waiting.values()
  const fresh = waiting.filter(({ isNew }) => isNew).values()
  const chosen = new Set<T>()
  const count = partOf(objects.length, subset)
  while (chosen.size < count) {
    takeOne(longest, chosen)
    if (chosen.size < count) takeOne(fresh, chosen)
  }
  return [...chosen]
}

/** The next one that is not chosen yet, if there is any. */
function takeOne<T>(queue: Iterator<{ readonly object: T }>, chosen: Set<T>): void {
  for (let next = queue.next(); next.done !== true; next = queue.next()) {
    if (chosen.has(next.value.object)) continue
    chosen.add(next.value.object)
    return
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Rounded up, so that anything is checked at all; 7 % of 100 are 7, though 100 × 0.07 is a little more. */
function partOf(count: number, part: number): number {
  return Math.ceil(count * part - 1e-9)
}
