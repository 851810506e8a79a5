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

/** `.app.db.holdfast-<pid>-<start>-<boot>-<namespace>-<machine>-<host>-<random>` */
export function temporaryName(base: string, owner: ProcessIdentity, random: string): string {
  const [boot = '', namespace = '', machine = ''] = owner.bootId.split('/')
  const parts = [
    owner.pid,
    owner.startedAt || unknown,
    boot.replaceAll('-', '') || unknown,
    /\d+/.exec(namespace)?.[0] ?? unknown,
    machine === '' ? unknown : tag(machine),
    tag(owner.host),
    random,
  ]
  return `.${shortBase(base)}.holdfast-${parts.join('-')}`
}

/** Undefined for a name that is not ours. The owner's host and machine read '' unless they are those of `here`. */
export function parseTemporaryName(
  name: string,
  here: Pick<ProcessIdentity, 'host' | 'bootId'>,
): TemporaryName | undefined {
  const found =
    /^\.(.*)\.holdfast-(\d+)-(\d+|x)-([0-9a-f]{32}|x)-(\d+|x)-([0-9a-f]{8}|x)-([0-9a-f]{8})-[0-9a-f]+((?:-|\.kept-\d+-).*)?$/.exec(
      name,
    )
  if (found === null) return undefined
  const [, base = '', pid = '', startedAt = '', boot = '', namespace = '', machine = '', host = '', suffix = ''] = found
  const [, , machineHere = ''] = here.bootId.split('/')
  const sameMachine = machineHere !== '' && machine === tag(machineHere)
  return {
    owner: {
      host: host === tag(here.host) ? here.host : '',
      bootId:
        boot === unknown
          ? ''
          : `${uuid(boot)}/${namespace === unknown ? '' : `pid:[${namespace}]`}/${sameMachine ? machineHere : ''}`,
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

function tag(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 8)
}

function uuid(hex: string): string {
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}
