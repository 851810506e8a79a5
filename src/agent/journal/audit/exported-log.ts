/**
 * An audit log as a file of lines: `holdfast audit <chain>`, then of each entry its hash, a space and its text. So the SHA-256 of a line's hash,
 * a line feed and the next line's text is the next line's hash; that of the first line stands before the first entry.
 */
import { HoldfastError } from '../../../errors.ts'
import { type ChainHead, chainStart, type StoredEntry } from './audit-entry.ts'

const title = /^holdfast audit ([0-9a-f-]{36})$/

export function* exportedLines(chain: string, entries: Iterable<StoredEntry>): Generator<string> {
  yield `holdfast audit ${chain}`
  for (const { hash, text } of entries) yield `${hash} ${text}`
}

/** @throws INTEGRITY if the file is no exported log at all; what its entries say is for the check of the chain */
export function parseExported(
  text: string,
  path: string,
): { readonly head: Pick<ChainHead, 'chain' | 'sequence' | 'hash'>; readonly entries: readonly StoredEntry[] } {
  const [first = '', ...lines] = text.split('\n')
  const chain = title.exec(first)?.[1]
  if (chain === undefined) {
    throw new HoldfastError('INTEGRITY', `The file ${path} is no exported audit log.`, {
      object: path,
      hint: 'Give a file that "holdfast audit export" wrote.',
    })
  }
  if (lines.at(-1) === '') lines.pop()
  // Lines have no number of their own: one that is missing shows in the number that the next one says.
  const entries = lines.map((line, index): StoredEntry => {
    return { sequence: index + 1, hash: line.slice(0, 64), text: line[64] === ' ' ? line.slice(65) : line }
  })
  return { head: { chain, sequence: entries.length, hash: entries.at(-1)?.hash ?? chainStart(chain) }, entries }
}
