import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs'
import { resolve } from 'node:path'
import { checkChain } from '../../agent/journal/audit/check-chain.ts'
import { exportedLines } from '../../agent/journal/audit/exported-log.ts'
import { HoldfastError, toHoldfastError } from '../../errors.ts'
import { systemCode } from '../../storage/local/file-error.ts'
import { counted } from '../format/text.ts'
import type { Outcome, Session } from '../session.ts'

/** @throws INTEGRITY, TARGET_EXISTS, TARGET_FOLDER_MISSING, DISK_FULL, ACCESS_DENIED */
export async function exportAudit(session: Session, to: string): Promise<Outcome<'audit export'>> {
  const path = resolve(to)
  const journal = await session.journal.open()
  const head = await journal.audit((entries, newest) => {
    const { finding } = newest === undefined ? checkChain(entries, newest) : {}
    if (finding !== undefined)
      throw new HoldfastError('INTEGRITY', `Nothing was written. ${finding.problem}`, {
        object: journal.path,
        hint: 'See "holdfast audit verify".',
      })
    if (newest !== undefined) writeNew(path, exportedLines(newest.chain, entries))
    return newest
  })
  if (head === undefined)
    throw new HoldfastError('NAME_NOT_FOUND', 'There is no audit log here yet, so nothing was written.', {
      object: journal.path,
      hint: 'It begins with the first operation that is recorded.',
    })
  const { chain, sequence, hash } = head
  return {
    data: { path, entries: sequence, head: { chain, sequence, hash } },
    text: `Wrote ${counted(sequence, 'entry', 'entries')} to ${path}. The hash of the newest is ${hash}.`,
    brief: '',
  }
}

/** All of it or nothing. The entries are read while the journal is open, which is not for long: so they are written at once. */
function writeNew(path: string, lines: Iterable<string>): void {
  const file = create(path)
  try {
    for (const line of lines) writeSync(file, `${line}\n`)
    fsyncSync(file)
  } catch (thrown) {
    rmSync(path, { force: true })
    throw toHoldfastError(thrown, path)
  } finally {
    closeSync(file)
  }
}

function create(path: string): number {
  try {
    return openSync(path, 'wx', 0o600)
  } catch (thrown) {
    const details = { object: path, cause: thrown }
    switch (systemCode(thrown)) {
      case 'EEXIST':
        throw new HoldfastError('TARGET_EXISTS', `The file ${path} exists already.`, {
          ...details,
          hint: 'Choose another name, or remove it first.',
        })
      case 'ENOENT':
      case 'ENOTDIR':
        throw new HoldfastError('TARGET_FOLDER_MISSING', `The folder of ${path} does not exist.`, details)
      default:
        throw toHoldfastError(thrown, path)
    }
  }
}
