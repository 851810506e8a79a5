/**
 * Names of the files that a restore makes in the target's folder. They carry the identity of the process that made them, so
 * that a later restore can tell the leftovers of a killed one from a file in use.
 */
import { createHash } from 'node:crypto'
import type { ProcessIdentity } from '../../../util/process-identity.ts'

export interface TemporaryName {
  readonly owner: ProcessIdentity
  /** '' for the restored file; `-wal` … for its sidecars; `.kept-<inode>-wal` for a sidecar set aside. */
  readonly suffix: string
  /** The target's name, or its beginning if that is long. */
  readonly base: string
}

const maxBase = 96
const unknown = 'x'

/** `.app.db.holdfast-<pid>-<start>-<boot>-<namespace>-<host>-<random>` */
export function temporaryName(base: string, owner: ProcessIdentity, random: string): string {
  const [boot = '', namespace = ''] = owner.bootId.split('/')
  const parts = [
    owner.pid,
    owner.startedAt || unknown,
    boot.replaceAll('-', '') || unknown,
    /\d+/.exec(namespace)?.[0] ?? unknown,
    hostTag(owner.host),
    random,
  ]
  return `.${shortBase(base)}.holdfast-${parts.join('-')}`
}

/** Undefined for a name that is not ours. The owner's host reads '' unless it is `here`. */
export function parseTemporaryName(name: string, here: string): TemporaryName | undefined {
  const found =
    /^\.(.*)\.holdfast-(\d+)-(\d+|x)-([0-9a-f]{32}|x)-(\d+|x)-([0-9a-f]{8})-[0-9a-f]+((?:-|\.kept-\d+-).*)?$/.exec(name)
  if (found === null) return undefined
  const [, base = '', pid = '', startedAt = '', boot = '', namespace = '', host = '', suffix = ''] = found
  return {
    owner: {
      host: host === hostTag(here) ? here : '',
      bootId: boot === unknown ? '' : `${uuid(boot)}/${namespace === unknown ? '' : `pid:[${namespace}]`}`,
      pid: Number(pid),
      startedAt: startedAt === unknown ? '' : startedAt,
    },
    suffix,
    base,
  }
}

/** At most 96 bytes of UTF-8, so that the whole stays below 255. */
export function shortBase(base: string): string {
  let short = ''
  for (const character of base) {
    if (Buffer.byteLength(short + character) > maxBase) break
    short += character
  }
  return short
}

function hostTag(host: string): string {
  return createHash('sha256').update(host).digest('hex').slice(0, 8)
}

function uuid(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
