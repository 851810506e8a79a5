import type { Ending } from './ending.ts'
import type { OperationEnd, OperationKind } from './operation.ts'

/** An operation whose begin is recorded. */
export interface OpenOperation {
  /** Call one of these, once. */
  readonly end: (ending: Ending) => Promise<void>
  /** @param ended the same in other words, where more is to be told of it */
  readonly fail: (thrown: unknown, figures?: Readonly<Record<string, number>>, ended?: OperationEnd) => Promise<void>
}

/** Does the work and records how it ended, also when it throws, which it then does. Without an operation it is only done. */
export async function recordWork<T>(
  operation: OpenOperation | undefined,
  work: () => Promise<T>,
  endingOf: (result: T) => Ending,
): Promise<T> {
  if (operation === undefined) return await work()
  let result: T
  try {
    result = await work()
  } catch (thrown) {
    await operation.fail(thrown)
    throw thrown
  }
  await operation.end(endingOf(result))
  return result
}

/** These only read the repository, so one that cannot be written to is nothing to warn of. */
export function onlyReads(kind: OperationKind): boolean {
  return kind === 'restore' || kind === 'verify' || kind === 'drill'
}

/** After such a failure, nothing is written to the repository: it is away, or was not to be waited for. */
export function isHopeless(code: string | undefined): boolean {
  return /^(STORAGE_|REPOSITORY_|ABORTED$)/.test(code ?? '')
}
