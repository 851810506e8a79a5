/** What an alert is about: the words that `on:` of a channel chooses from. */
export const alertKinds = [
  /** An operation of the agent failed; over with its next success. */
  'failure',
  /** No backup, and no commit, is as new as it should be. */
  'overdue',
  /** Databases of a pattern are gone all at once, or the repository is, as when a disk is not mounted. */
  'missing',
  /** Commits of a followed database wait too long for the repository. */
  'lag',
  /** Commits were missed: between two states nothing can be restored. */
  'gap',
  /** A verification found damage in the repository. */
  'verify',
  /** A restore drill failed, or could not be finished. */
  'drill',
  /** What waits for the repository fills the space that it may have. */
  'spool',
  /** A file system that the agent writes to is nearly full. */
  'disk',
  /** The certificate of a server through which somebody is notified ends soon. */
  'expiring',
  /** The agent did not stop in order, or one of its workers hangs. */
  'agent',
] as const
export type AlertKind = (typeof alertKinds)[number]

/** `recovery` is the notice that an alert is over. */
export const alertTopics = [...alertKinds, 'recovery'] as const
export type AlertTopic = (typeof alertTopics)[number]

export const severities = ['warning', 'critical'] as const
export type Severity = (typeof severities)[number]

/** Something that is wrong now. */
export interface Condition {
  /** `kind/database/detail`: what is known under one key is one alert. */
  readonly key: string
  readonly kind: AlertKind
  readonly severity: Severity
  /** Name in the repository; undefined for what concerns the agent or the whole repository. */
  readonly database?: string | undefined
  /** One sentence. */
  readonly summary: string
  /** What to do, in one sentence. */
  readonly hint?: string | undefined
  /** Figures and names for programs; durations in milliseconds, sizes in bytes, times in ISO 8601. */
  readonly details: Readonly<Record<string, string | number>>
}

/** A notice about a condition. Times are in milliseconds since 1970. */
export interface Alert extends Condition {
  readonly state: 'firing' | 'recovered'
  /** The same for the first notice of a condition, its reminders and the recovery. */
  readonly incident: string
  /** When the notice was made. */
  readonly at: number
  /** When the condition began. */
  readonly since: number
  /** 0 for the first notice, then 1, 2 … */
  readonly reminder: number
  /** How often it happened in this incident; 1 for what just lasts. */
  readonly times: number
}

/** How long it has lasted, or did last, in milliseconds. */
export function lastedMs({ at, since }: Alert): number {
  return Math.max(0, at - since)
}

/** Key of a condition. */
export function conditionKey(kind: AlertKind, ...parts: readonly string[]): string {
  return [kind, ...parts.map(encodeURIComponent)].join('/')
}
