import { basename } from 'node:path'
import type { AuditParameters } from '../../agent/journal/audit/audit-entry.ts'
import type { Ending } from '../../agent/journal/ending.ts'
import type { Journal, OperationHandle } from '../../agent/journal/journal.ts'
import type { OpenOperation } from '../../agent/journal/open-operation.ts'
import type { OperationKind, OperationStart } from '../../agent/journal/operation.ts'
import type { RecordingOptions } from '../../agent/journal/recording.ts'
import { toHoldfastError } from '../../errors.ts'
import { settledWithin } from '../../util/settled-within.ts'
import type { Output } from '../output.ts'

/** What an agent has not recorded by then, in milliseconds, it goes on with while it ends. */
const writtenMs = 3000

export interface CommandFacts {
  /** `holdfast backup`. */
  readonly command: string
  /** Path or URL of the repository, as given. */
  readonly location: string
  readonly output: Output
  readonly now: () => number
}

/** An operation that a command is about to do. */
export interface OperationFacts {
  readonly kind: OperationKind
  /** Path or URL of the repository that it is about; default: the command's. */
  readonly location?: string | undefined
  /** Name in the repository, or path: of a path, the name is taken that it most likely has there. */
  readonly database?: string | undefined
  readonly type?: string | undefined
  /** Id of the schedule that was run by hand. */
  readonly schedule?: string | undefined
  /** What was asked for, for the audit log; no secrets, and nothing that may hold one, such as commands. */
  readonly parameters?: AuditParameters | undefined
}

/**
 * Records what a command does in the history and the audit log of this machine. Nothing is loaded or opened before the first
 * operation. What cannot be recorded is a warning.
 */
export class CommandJournal {
  readonly #facts: CommandFacts
  #journal: Promise<Journal> | undefined
  #writes = false
  /** Where the head of the audit log is noted. */
  #location: string
  #isHopeless = false

  constructor(facts: CommandFacts) {
    this.#facts = facts
    this.#location = facts.location
  }

  /**
   * The journal itself, for commands that show what is in it.
   * @param telling for what keeps operations from being recorded; of whoever opens it first; default: a warning of the command
   */
  open(telling: RecordingOptions = this.#warning): Promise<Journal> {
    this.#journal ??= this.#load(telling)
    return this.#journal
  }

  /**
   * Does the work and records it, also when it throws, which it then does. Without facts, as for a dry run, it is only done.
   * @param endingOf what is to be told of the result; default: only that there was one
   */
  async recorded<T>(
    facts: OperationFacts | undefined,
    work: () => Promise<T>,
    endingOf: (result: T) => Ending = () => ({}),
  ): Promise<T> {
    const operation = facts === undefined ? undefined : await this.begin(facts)
    const { recordWork } = await import('../../agent/journal/open-operation.ts')
    return await recordWork(operation, work, endingOf)
  }

  /** For work that has several operations in common: only if it throws, each of them is recorded, as failed. */
  async recordedFailure<T>(operations: readonly OperationFacts[], work: () => Promise<T>): Promise<T> {
    try {
      return await work()
    } catch (thrown) {
      for (const facts of operations) await (await this.begin(facts))?.fail(thrown)
      throw thrown
    }
  }

  /** Undefined where the place of the repository makes no sense, which opening it says. */
  async begin(facts: OperationFacts): Promise<OpenOperation | undefined> {
    const { location = this.#facts.location } = facts
    const repository = await storageUrl(location)
    if (repository === undefined) return undefined
    const journal = await this.open()
    const [{ failedEnd, endOf }, { isHopeless, onlyReads }, { databaseNameFrom }] = await Promise.all([
      import('../../agent/journal/ending.ts'),
      import('../../agent/journal/open-operation.ts'),
      import('../../repository/layout.ts'),
    ])
    const { kind, type, schedule, parameters } = facts
    const database = facts.database === undefined ? undefined : databaseNameFrom(basename(facts.database))
    const start: OperationStart = { kind, type, database, repository, trigger: 'manual', schedule }
    const handle: OperationHandle = await journal.begin(start, parameters)
    if (!onlyReads(facts.kind)) this.#writes = true
    this.#location = location
    return {
      end: async (ending) => {
        this.#isHopeless = false
        await handle.end(endOf(ending))
      },
      fail: async (thrown, figures, end = failedEnd(thrown, figures)) => {
        this.#isHopeless = isHopeless(end.code)
        await handle.end(end)
      },
    }
  }

  /** Notes the head of the audit log in the repository, after the last operation. */
  async close(): Promise<void> {
    const journal = await this.#journal
    if (journal !== undefined) await settledWithin(journal.written(), writtenMs)
    if (journal?.auditState === undefined || this.#isHopeless) return
    const { output, now } = this.#facts
    const [{ openStorage }, { anchorAudit }, { currentActor }] = await Promise.all([
      import('../../storage/open-storage.ts'),
      import('../../agent/journal/audit/anchor-audit.ts'),
      import('../../agent/journal/audit/actor.ts'),
    ])
    const storage = await openStorage(this.#location)
    try {
      const warning = await anchorAudit(journal, storage, currentActor(this.#facts.command), now())
      if (warning !== undefined) output.warn(warning, journal.path)
    } catch (thrown) {
      const { message, code } = toHoldfastError(thrown)
      const text = `The head of the audit log could not be noted in the repository. ${message}`
      if (!this.#writes && (code === 'STORAGE_DENIED' || code === 'DISK_FULL')) output.detail(text)
      else output.warn(text)
    } finally {
      await storage.close()
    }
  }

  get #warning(): RecordingOptions {
    return { onWarning: (text, object) => this.#facts.output.warn(text, object) }
  }

  async #load(telling: RecordingOptions): Promise<Journal> {
    const [{ Journal }, { currentActor }] = await Promise.all([
      import('../../agent/journal/journal.ts'),
      import('../../agent/journal/audit/actor.ts'),
    ])
    const { command, now } = this.#facts
    return new Journal({ ...telling, actor: currentActor(command), now })
  }
}

/** The place of a repository in full and without secrets; nothing is opened there. Undefined if it makes no sense. */
export async function storageUrl(location: string): Promise<string | undefined> {
  const { openStorage } = await import('../../storage/open-storage.ts')
  try {
    const storage = await openStorage(location)
    await storage.close()
    return storage.url
  } catch {
    return undefined
  }
}
