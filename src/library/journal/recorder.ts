import { z } from 'zod'
import { type AuditParameters, auditParameters } from '../../agent/journal/audit/audit-entry.ts'
import { type Ending, endOf, failedEnd } from '../../agent/journal/ending.ts'
import type { OperationHandle } from '../../agent/journal/journal.ts'
import { isHopeless, type OpenOperation, onlyReads, recordWork } from '../../agent/journal/open-operation.ts'
import {
  type OperationEnd,
  type OperationKind,
  type OperationTrigger,
  operationKinds,
  operationTriggers,
} from '../../agent/journal/operation.ts'
import type { RecordingOptions } from '../../backup/manager-options.ts'
import { parseOptions } from '../../engine/parse-options.ts'
import type { StorageLink } from '../../engine/storage-link.ts'
import { toHoldfastError } from '../../errors.ts'
import { type TakenJournal, takeJournal } from './shared-journal.ts'
import { warnOnce } from './warn-once.ts'

/** An operation that is about to be done. */
export interface RecordedFacts {
  readonly kind: OperationKind
  /** Name in the repository. */
  readonly database?: string | undefined
  readonly type?: string | undefined
  /** Default: `library`. */
  readonly trigger?: OperationTrigger | undefined
  readonly schedule?: string | undefined
  /** What was asked for, for the audit log; no secrets, and nothing that may hold one, such as commands. */
  readonly parameters?: AuditParameters | undefined
}

const text = z.string().optional()
const recordedFacts: z.ZodType<RecordedFacts> = z.object({
  kind: z.enum(operationKinds),
  database: text,
  type: text,
  trigger: z.enum(operationTriggers).optional(),
  schedule: text,
  parameters: auditParameters.optional(),
})

const recordingOptions = z.object({ journal: z.union([z.literal(false), z.string().min(1)]).optional() })
/** The head of the audit log is noted in the repository at least so often, while there is something new. */
const anchorMs = 60 * 60_000

/** Records what is done to one repository. */
export class Recorder implements AsyncDisposable {
  readonly #taken: TakenJournal | undefined
  readonly #link: StorageLink
  #writes = false
  #isHopeless = false
  #isNoted = true
  readonly #steadyNow: () => number
  #notedAt: number | undefined

  /** @param steadyNow milliseconds of a clock that nobody sets; default: the system's */
  constructor(link: StorageLink, taken: TakenJournal | undefined, steadyNow = (): number => performance.now()) {
    this.#link = link
    this.#taken = taken
    this.#steadyNow = steadyNow
  }

  /** Undefined where nothing is recorded. */
  get journal(): TakenJournal['journal'] | undefined {
    return this.#taken?.journal
  }

  /**
   * Does the work and records it, also when it throws, which it then does. Without facts, as for a dry run, it is only done.
   * @param endingOf what is to be told of the result; default: only that there was one
   */
  async recorded<T>(
    facts: RecordedFacts | undefined,
    work: () => Promise<T>,
    endingOf: (result: T) => Ending = () => ({}),
  ): Promise<T> {
    return await recordWork(facts === undefined ? undefined : await this.begin(facts), work, endingOf)
  }

  /** Undefined where nothing is recorded. Never fails. */
  async begin(given: RecordedFacts): Promise<OpenOperation | undefined> {
    // JavaScript lets anything through. What makes no sense is the work's to refuse.
    const known = recordedFacts.safeParse(given).data
    if (this.#taken === undefined || known === undefined) return undefined
    const { trigger = 'library', parameters = {}, ...facts } = known
    const start = { ...facts, trigger, repository: this.#link.storage.url }
    const handle = await this.#taken.journal.begin(start, parameters)
    if (!onlyReads(facts.kind)) this.#writes = true
    return {
      end: (ending) => this.#end(handle, endOf(ending)),
      fail: (thrown, figures) => this.#end(handle, failedEnd(thrown, figures)),
    }
  }

  /** Notes the head of the audit log in the repository, and lets the journal go. Call it before the storage is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isNoted) await this.#anchor()
    await this.#taken?.[Symbol.asyncDispose]()
  }

  async #end(handle: OperationHandle, end: OperationEnd): Promise<void> {
    await handle.end(end)
    this.#isNoted = false
    this.#isHopeless = isHopeless(end.code)
    const now = this.#steadyNow()
    this.#notedAt ??= now
    if (now - this.#notedAt >= anchorMs) await this.#anchor()
  }

  async #anchor(): Promise<void> {
    if (this.#taken === undefined || this.#isHopeless) return
    this.#isNoted = true
    this.#notedAt = this.#steadyNow()
    try {
      const warning = await this.#taken.journal.anchor(this.#link)
      if (warning !== undefined) warnOnce({ message: warning, code: 'INTEGRITY' })
    } catch (thrown) {
      const { message, code } = toHoldfastError(thrown)
      if (!this.#writes && (code === 'STORAGE_DENIED' || code === 'DISK_FULL')) return
      warnOnce({ message: `The head of the audit log could not be noted in the repository. ${message}`, code })
    }
  }
}

/** @throws USAGE for a `journal` that makes no sense */
export function openRecorder(
  link: StorageLink,
  options: RecordingOptions,
  engine: { readonly execPath?: string | undefined } | undefined,
): Recorder {
  const { journal: path } = parseOptions(recordingOptions, options)
  // What is in memory is gone with the process, and its history is of no use to anybody.
  const isForgotten = path === undefined && link.storage.url.startsWith('memory:')
  return new Recorder(link, path === false || isForgotten ? undefined : takeJournal(path, engine?.execPath))
}
