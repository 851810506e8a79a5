import { auditEntry, type ChainHead, chainStart, entryHash, type StoredEntry } from './audit-entry.ts'

/** The first entry that is not what was written. */
export interface AuditFinding {
  readonly sequence: number
  readonly problem: string
}

/** What somebody else noted of the chain: that its entry with this number had this hash. */
export interface NotedHead {
  readonly sequence: number
  readonly hash: string
  /** Where that is noted. */
  readonly at: string
}

export interface CheckedChain {
  /** That are as they were written, from the first on. */
  readonly entries: number
  readonly finding: AuditFinding | undefined
}

/**
 * Follows the chain from its start. A chain that was cut off at its end is whole in itself: that shows only against its
 * head, and against what was noted of it elsewhere.
 * @param head undefined if there is none, which is right for a log without entries alone
 */
export function checkChain(
  entries: Iterable<StoredEntry>,
  head: Pick<ChainHead, 'chain' | 'sequence' | 'hash'> | undefined,
  noted: readonly NotedHead[] = [],
): CheckedChain {
  if (head === undefined) return { entries: 0, finding: missingHead(entries) }
  const heads = [{ sequence: head.sequence, hash: head.hash, at: 'the journal itself' }, ...noted]
  const headsAt = Map.groupBy(heads, ({ sequence }) => sequence)
  let count = 0
  let previous = chainStart(head.chain)
  for (const entry of entries) {
    const expected = count + 1
    const problem = problemOf(entry, expected, previous) ?? contradiction(entry, headsAt.get(expected) ?? [])
    if (problem !== undefined) return { entries: count, finding: { sequence: expected, problem } }
    count = expected
    previous = entry.hash
  }
  if (count > head.sequence) {
    const problem = `Entry ${head.sequence + 1} was added past the head of the journal.`
    return { entries: head.sequence, finding: { sequence: head.sequence + 1, problem } }
  }
  return { entries: count, finding: missingEnd(count, heads) }
}

function missingHead(entries: Iterable<StoredEntry>): AuditFinding | undefined {
  for (const _ of entries)
    return {
      sequence: 1,
      problem: 'The head of the log is missing, though it has entries: nothing proves any of them.',
    }
  return undefined
}

function problemOf(entry: StoredEntry, expected: number, previous: string): string | undefined {
  if (entry.sequence !== expected) return `${missingText(expected, entry.sequence - 1)} missing.`
  const said = numberIn(entry.text)
  if (said !== expected)
    return said === undefined
      ? `Entry ${expected} is not readable.`
      : `In the place of entry ${expected} stands the one that was written as entry ${said}.`
  if (entryHash(previous, entry.text) === entry.hash) return undefined
  return `Entry ${expected} was changed, or what stands before it: its hash does not fit.`
}

function numberIn(text: string): number | undefined {
  try {
    return auditEntry.safeParse(JSON.parse(text)).data?.sequence
  } catch {
    return undefined
  }
}

function contradiction({ sequence, hash }: StoredEntry, noted: readonly NotedHead[]): string | undefined {
  const other = noted.find((head) => head.hash !== hash)
  if (other === undefined) return undefined
  return `Entry ${sequence}, or one before it, was written anew: ${other.at} remembers another.`
}

function missingEnd(count: number, heads: readonly NotedHead[]): AuditFinding | undefined {
  const furthest = heads.reduce((a, b) => (b.sequence > a.sequence ? b : a))
  if (furthest.sequence <= count) return undefined
  const missing = missingText(count + 1, furthest.sequence)
  return { sequence: count + 1, problem: `${missing} missing at the end: ${furthest.at} remembers more.` }
}

function missingText(from: number, to: number): string {
  return from === to ? `Entry ${from} is` : `Entries ${from} to ${to} are`
}
