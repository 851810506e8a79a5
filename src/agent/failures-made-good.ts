import type { Journal } from './journal/journal.ts'
import { failuresToMend, observeMadeGood } from './notify/made-good.ts'
import type { Notifier } from './notify/notifier.ts'

export interface FailuresMadeGoodContext {
  readonly journal: Pick<Journal, 'operations'>
  readonly repository: { readonly url: string }
  readonly notifier: Pick<Notifier, 'observe' | 'firing'>
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** What was done by hand longer ago has been done by its schedule since, or failed again. */
const memoryMs = 7 * 24 * 3_600_000

/** Ends failures that somebody on this machine made good: by a command, or an application. */
export class FailuresMadeGood {
  readonly #context: FailuresMadeGoodContext

  constructor(context: FailuresMadeGoodContext) {
    this.#context = context
  }

  /** Costs nothing while nothing fails. @throws INTERNAL, ACCESS_DENIED, DISK_FULL where the journal cannot be read */
  async look(): Promise<void> {
    const { journal, repository, notifier, now } = this.#context
    const failures = failuresToMend(notifier.firing)
    if (failures.length === 0) return
    const since = Math.max(now() - memoryMs, Math.min(now(), ...failures.map(({ since }) => since)))
    const query = { repository: repository.url, since }
    const operations = [
      ...(await journal.operations({ ...query, trigger: 'manual' })),
      ...(await journal.operations({ ...query, trigger: 'library' })),
    ]
    notifier.observe(observeMadeGood(notifier.firing, operations))
  }
}
