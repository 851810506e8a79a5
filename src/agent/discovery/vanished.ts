/** Whether databases that a pattern no longer finds were deleted by their owner, or went away with what they lie on. Pure. */

/** The fixed part of a pattern, as it is now. */
export type RootState =
  | { readonly state: 'there'; readonly device: number; readonly isEmpty: boolean }
  /** `problem`: it may be there, but cannot be looked into. */
  | { readonly state: 'gone'; readonly problem?: string | undefined }

export interface KnownBefore {
  /** Of the file system of the pattern's fixed part; null if it was not there. */
  readonly device: number | null
  /** Paths of the databases. */
  readonly paths: readonly string[]
}

/** What is left of so many at least is no mass of deletions. */
const fewest = 3

/** @returns why they are thought to have gone away rather than to have been deleted, as the rest of a sentence; undefined if they were deleted */
export function whyVanished(
  { device, paths }: KnownBefore,
  missing: readonly string[],
  root: RootState,
): string | undefined {
  if (missing.length === 0) return undefined
  if (root.state === 'gone')
    return root.problem === undefined ? 'its folder is gone' : `its folder cannot be read (${root.problem})`
  // Where most of them are, the folder has moved, or was mounted anew.
  const isElsewhere = device !== null && root.device !== device && missing.length * 2 >= paths.length
  if (isElsewhere) return 'its folder is on another file system than before'
  if (root.isEmpty) return 'its folder is empty'
  if (missing.length >= Math.max(fewest, paths.length / 2)) return 'so many at once are seldom deleted on purpose'
  return undefined
}
