import { readFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { currentActor } from '../../agent/journal/audit/actor.ts'
import type { ChainHead, StoredEntry } from '../../agent/journal/audit/audit-entry.ts'
import { type CheckedChain, checkChain, type NotedHead } from '../../agent/journal/audit/check-chain.ts'
import { parseExported } from '../../agent/journal/audit/exported-log.ts'
import { exitCodes, HoldfastError, toHoldfastError } from '../../errors.ts'
import { type AuditAnchor, readAuditAnchors } from '../../repository/audit-anchor.ts'
import { counted } from '../format/text.ts'
import { verifiedAuditText } from '../present/audit.ts'
import { type Outcome, openRepository, type Session } from '../session.ts'

type Head = Pick<ChainHead, 'chain' | 'sequence' | 'hash'>

interface Noted {
  readonly repository: string
  readonly anchors: readonly AuditAnchor[]
}

export async function verifyAudit(session: Session, path: string | undefined): Promise<Outcome<'audit verify'>> {
  const { output, journal: commandJournal } = session
  const noted = await notedIn(session)
  const journal = await commandJournal.open()
  const log = path === undefined ? journal.path : resolve(path)
  const check = (entries: Iterable<StoredEntry>, head: Head | undefined) => checked(entries, head, noted)
  const { head, result } =
    path === undefined ? ((await journal.audit(check)) ?? checked([], undefined, noted)) : await checkFile(log, check)
  if (path === undefined) for (const warning of lostLogs(noted, head)) output.warn(warning, log)
  const { entries, finding } = result
  const remembered = noted?.anchors.some(({ chain }) => chain === head?.chain) === true
  const data = {
    log,
    ok: finding === undefined && head !== undefined,
    entries,
    finding: finding ?? null,
    head: head === undefined ? null : { chain: head.chain, sequence: head.sequence, hash: head.hash },
    comparedWith: remembered ? (noted?.repository ?? null) : null,
  }
  return {
    data,
    text: verifiedAuditText(data),
    ...(finding === undefined ? {} : { exitCode: exitCodes.integrity }),
    ...(finding === undefined && !output.warned ? { brief: '' } : {}),
  }
}

function checked(
  entries: Iterable<StoredEntry>,
  head: Head | undefined,
  noted: Noted | undefined,
): { head: Head | undefined; result: CheckedChain } {
  const anchors = noted?.anchors.filter(({ chain }) => chain === head?.chain) ?? []
  const heads = anchors.map(({ sequence, hash }): NotedHead => ({ sequence, hash, at: noted?.repository ?? '' }))
  return { head, result: checkChain(entries, head, heads) }
}

async function checkFile<T>(path: string, check: (entries: readonly StoredEntry[], head: Head) => T): Promise<T> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (thrown) {
    const error = toHoldfastError(thrown, path)
    if (error.code !== 'INTERNAL') throw error
    throw new HoldfastError('USAGE', `The file ${path} cannot be read: ${error.message}.`, {
      object: path,
      cause: thrown,
    })
  }
  const { head, entries } = parseExported(text, path)
  return check(entries, head)
}

/** What the repository remembers; undefined where there is none. */
async function notedIn(session: Session): Promise<Noted | undefined> {
  const { output, signal } = session
  try {
    await using repository = await openRepository(session)
    const { anchors, problems } = await readAuditAnchors(repository.storage, { signal })
    for (const { key, problem } of problems) output.warn(problem, key)
    return { repository: repository.url, anchors }
  } catch (thrown) {
    if (!(thrown instanceof HoldfastError) || thrown.code === 'ABORTED') throw thrown
    if (thrown.code === 'REPOSITORY_NOT_FOUND') output.note(`Not compared with a repository: ${thrown.message}`)
    else output.warn(`The log could not be compared with what the repository remembers. ${thrown.message}`)
    return undefined
  }
}

/** Logs of this user on this machine that the repository remembers, and that are not this one. */
function lostLogs(noted: Noted | undefined, head: Head | undefined): string[] {
  const { user } = currentActor('')
  const others = noted?.anchors.filter((anchor) => {
    return anchor.host === hostname() && anchor.user === user && anchor.chain !== head?.chain
  })
  return (others ?? []).map(
    ({ chain, sequence, time }) =>
      `The repository remembers another audit log of this user on this machine, ${chain} with ${counted(sequence, 'entry', 'entries')} until ${time}. It was set aside, deleted, or lies in another state folder.`,
  )
}
