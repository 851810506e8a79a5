import { dirname } from 'node:path'
import { toHoldfastError } from '../errors.ts'
import { settledWithin } from '../util/settled-within.ts'
import type { AgentDatabase } from './agent-databases.ts'
import type { AgentLog } from './agent-log.ts'
import { diskKey, type MeasureDisk, observeDisk } from './notify/conditions/disk.ts'
import type { Observation } from './notify/engine/advance.ts'
import type { Notifier } from './notify/notifier.ts'

/** A folder, and what lies there, for people: `the repository`. */
export interface WatchedFolder {
  readonly what: string
  readonly path: string
}

export interface DiskWatchContext {
  /** The most telling first: a disk is named after the first folder on it. */
  readonly folders: () => readonly WatchedFolder[]
  readonly databases: () => readonly Pick<AgentDatabase, 'name' | 'path'>[]
  /** Number of the file system on which a path lies. @throws as {@link MeasureDisk} */
  readonly deviceOf: (path: string) => Promise<number>
  readonly measure: MeasureDisk
  readonly notifier: Pick<Notifier, 'firing'>
  readonly log: Pick<AgentLog, 'debug'>
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** So long an answer is waited for, in milliseconds; default 5 s. */
  readonly patienceMs?: number | undefined
}

interface Disk {
  readonly path: string
  readonly holds: string[]
  readonly databases: string[]
}

/** On which disk a folder lies changes when something is mounted there: it is asked for again after so long. */
const deviceMemoryMs = 3_600_000
/** A network file system may not answer at all. */
const usualPatienceMs = 5_000
const mostNamed = 3
/** `a, b and c`. */
const list = new Intl.ListFormat('en-GB')

/** Looks how full the disks are, each once, however many folders of ours it holds. */
export class DiskWatch {
  readonly #context: DiskWatchContext
  readonly #devices = new Map<string, { readonly device: number; readonly askedAt: number }>()
  #looking: Promise<readonly Observation[]> | undefined

  constructor(context: DiskWatchContext) {
    this.#context = context
  }

  /** Never fails: what cannot be looked at stays as it was, and is in the log. */
  async look(): Promise<readonly Observation[]> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined
    })
    const looking = this.#looking
    const { log, patienceMs = usualPatienceMs } = this.#context
    if (await settledWithin(looking, patienceMs)) return await looking
    log.debug('A disk does not say how full it is.')
    return []
  }

  async #look(): Promise<readonly Observation[]> {
    const { measure, notifier } = this.#context
    const { disks, unknown } = await this.#disks()
    const observations: Observation[] = []
    for (const { path, holds, databases } of disks) {
      const named = databases.length > mostNamed ? [`${databases.length} databases`] : databases
      const what = list.format([...holds, ...named])
      try {
        observations.push(...observeDisk({ what, path, ...(await measure(path)) }))
      } catch (thrown) {
        this.#untold(path, thrown)
      }
    }
    // Nothing of ours lies there any more, or it lies on the disk of another folder.
    const ours = new Set([...unknown, ...disks.map(({ path }) => path)].map(diskKey))
    const over = notifier.firing.filter(({ kind, key }) => kind === 'disk' && !ours.has(key))
    return [...observations, ...over.map(({ key }) => ({ what: 'absent', key }) as const)]
  }

  /** One by one: a file system that hangs must not take up all that the process can ask at once. */
  async #disks(): Promise<{ readonly disks: readonly Disk[]; readonly unknown: readonly string[] }> {
    const disks = new Map<number, Disk>()
    const unknown: string[] = []
    const folders = new Map<string, { readonly holds: string[]; readonly databases: string[] }>()
    const folderAt = (path: string) => {
      const known = folders.get(path) ?? { holds: [], databases: [] }
      folders.set(path, known)
      return known
    }
    for (const { what, path } of this.#context.folders()) folderAt(path).holds.push(what)
    for (const { name, path } of this.#context.databases()) folderAt(dirname(path)).databases.push(name)
    for (const path of this.#devices.keys()) if (!folders.has(path)) this.#devices.delete(path)
    for (const [path, { holds, databases }] of folders) {
      const device = await this.#deviceOf(path)
      if (device === undefined) {
        unknown.push(path)
        continue
      }
      const disk = disks.get(device) ?? { path, holds: [], databases: [] }
      disks.set(device, disk)
      disk.holds.push(...holds)
      disk.databases.push(...databases)
    }
    return { disks: [...disks.values()], unknown }
  }

  async #deviceOf(path: string): Promise<number | undefined> {
    const now = this.#context.now()
    const known = this.#devices.get(path)
    if (known !== undefined && now >= known.askedAt && now < known.askedAt + deviceMemoryMs) return known.device
    try {
      const device = await this.#context.deviceOf(path)
      this.#devices.set(path, { device, askedAt: now })
      return device
    } catch (thrown) {
      this.#devices.delete(path)
      this.#untold(path, thrown)
      return undefined
    }
  }

  #untold(path: string, thrown: unknown): void {
    this.#context.log.debug(`The disk of ${path} could not be looked at. ${toHoldfastError(thrown).message}`)
  }
}
