import { expireText } from '../present/expire.ts'
import type { Outcome } from '../session.ts'
import type { ExpireData } from './upkeep-data.ts'

/** Of several databases in one: the lists of all, the sums of all. */
export function outcomeOfAll(all: readonly ExpireData[], dryRun: boolean): Outcome<'expire'> {
  const sum = (of: (one: ExpireData) => number) => all.reduce((total, one) => total + of(one), 0)
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
      simulation: null,
    },
    text: all.length === 0 ? 'The repository holds no database.' : all.map(expireText).join('\n\n'),
  }
}
