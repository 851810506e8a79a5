import { conditionKey } from '../alert.ts'
import type { Observation } from '../engine/advance.ts'

/** No pattern is called like this: those are absolute. */
export const repositoryKey = conditionKey('missing', 'repository')

/** @param url without credentials */
export function observeRepository(url: string, isThere: boolean): readonly Observation[] {
  if (isThere) return [{ what: 'absent', key: repositoryKey }]
  const condition = {
    key: repositoryKey,
    kind: 'missing',
    severity: 'critical',
    summary: `The repository at ${url} is gone: what marks it as one, holdfast.json, is not there.`,
    hint: 'Mount its disk, or bring it back to where it was. Until then nothing that it holds can be restored, and no backup is safe there.',
    details: { repository: url },
  } as const
  return [{ what: 'present', condition }]
}
