import { readFileSync, readlinkSync } from 'node:fs'
import { hostname } from 'node:os'

/**
 * Names a running process so that another one can tell, later, whether it still lives: leases and temporary files carry it.
 */
export interface ProcessIdentity {
  readonly host: string
  /** Boot, process-id namespace and machine, as `boot/namespace/machine`; process ids compare only within one. Empty where the system does not tell. */
  readonly bootId: string
  readonly pid: number
  /** Start of the process in the system's own unit, so that a reused id is not taken for the old process; empty where unknown. */
  readonly startedAt: string
}

export function currentProcess(): ProcessIdentity {
  return { host: hostname(), bootId: bootId(), pid: process.pid, startedAt: startOf(process.pid) ?? '' }
}

/** `unknown` for a process of another host or boot: only time can tell then. */
export function processState(other: ProcessIdentity): 'alive' | 'dead' | 'unknown' {
  const here = bootId()
  if (other.host !== hostname()) return 'unknown'
  if (other.bootId !== here) return sameMachineOtherBoot(other.bootId, here) ? 'dead' : 'unknown'
  if (!exists(other.pid) || isZombie(other.pid)) return 'dead'
  const startedAt = startOf(other.pid)
  return other.startedAt !== '' && startedAt !== undefined && startedAt !== other.startedAt ? 'dead' : 'alive'
}

/**
 * The same machine after a reboot: every process of the former boot is gone. Host names repeat, so only the machine's own id
 * tells; in containers, which share images, not even that.
 */
function sameMachineOtherBoot(other: string, here: string): boolean {
  const [otherBoot, otherNamespace, otherMachine = ''] = other.split('/')
  const [hereBoot, hereNamespace, hereMachine] = here.split('/')
  const sameMachine = otherMachine !== '' && otherMachine === hereMachine
  return (
    sameMachine && otherBoot !== hereBoot && otherNamespace === hereNamespace && otherNamespace === initialNamespace
  )
}

/** Linux gives the initial process-id namespace this number. */
const initialNamespace = 'pid:[4026531836]'

function bootId(): string {
  const boot = readText('/proc/sys/kernel/random/boot_id')
  if (boot === undefined) return ''
  let namespace = ''
  try {
    namespace = readlinkSync('/proc/self/ns/pid')
  } catch {
    // Without namespaces there is only one.
  }
  return `${boot.trim()}/${namespace}/${readText('/etc/machine-id')?.trim() ?? ''}`
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM'
  }
}

/** Ended, but never collected by its parent, as orphans are in a container whose first process does not care for them. */
function isZombie(pid: number): boolean {
  const state = statusOf(pid)?.[0]
  return state === 'Z' || state === 'X'
}

/** Field 22 of /proc/<pid>/stat. */
function startOf(pid: number): string | undefined {
  return statusOf(pid)?.[19]
}

/** /proc/<pid>/stat from field 3 on; the command name before it may hold spaces and parentheses. */
function statusOf(pid: number): string[] | undefined {
  const stat = readText(`/proc/${pid}/stat`)
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
