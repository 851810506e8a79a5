import type { OperationKind, OperationOutcome, OperationTrigger } from '../journal/operation.ts'

/** A program of the user's that runs before or after an operation. */
export interface Hook {
  /** A text is given to the shell; a list is a program and its arguments. */
  readonly command: string | readonly [string, ...string[]]
  /** In milliseconds; default 60 s. Then it is told to stop, and killed 5 s later. */
  readonly timeoutMs?: number | undefined
  /** Where the configuration has it: `databases[1].hooks[0]`. Its command may hold secrets, and is not told. */
  readonly place?: string | undefined
}

export type HookMoment = 'before' | 'after'

/** What a hook is told, in its environment. */
export interface HookContext {
  readonly moment: HookMoment
  readonly operation: OperationKind
  readonly database?: string | undefined
  /** Of the database. */
  readonly path?: string | undefined
  /** Without credentials. */
  readonly repository: string
  /** `full`, `incremental` or `snapshot` of a backup; the level of a verification. */
  readonly type?: string | undefined
  readonly trigger: OperationTrigger
  readonly schedule?: string | undefined
  /** After it: how it ended. */
  readonly end?:
    | {
        readonly outcome: OperationOutcome
        readonly code?: string | undefined
        readonly message?: string | undefined
        readonly backupId?: string | undefined
        readonly durationMs: number
      }
    | undefined
}

/** The environment of a hook; what does not apply is empty, so that `set -u` is no trap. docs/hooks.md lists it. */
export function hookEnvironment(context: HookContext): Record<string, string> {
  const { moment, operation, database, path, repository, type, trigger, schedule, end } = context
  return {
    HOLDFAST_HOOK: moment,
    HOLDFAST_OPERATION: operation,
    HOLDFAST_TYPE: type ?? '',
    HOLDFAST_DATABASE: database ?? '',
    HOLDFAST_PATH: path ?? '',
    HOLDFAST_REPOSITORY: repository,
    HOLDFAST_TRIGGER: trigger,
    HOLDFAST_SCHEDULE: schedule ?? '',
    HOLDFAST_OUTCOME: end?.outcome ?? '',
    HOLDFAST_BACKUP_ID: end?.backupId ?? '',
    HOLDFAST_ERROR_CODE: end?.code ?? '',
    HOLDFAST_ERROR_MESSAGE: end?.message ?? '',
    HOLDFAST_DURATION_MS: end === undefined ? '' : String(Math.round(end.durationMs)),
  }
}
