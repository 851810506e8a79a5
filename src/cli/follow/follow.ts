import { basename, join, resolve } from 'node:path'
import type { Capture } from '../../capture/capture.ts'
import type { CaptureEvent } from '../../capture/capture-events.ts'
import { type CaptureControl, listenForRequests } from '../../capture/control/capture-control.ts'
import { followDatabase } from '../../capture/follow-database.ts'
import { type HoldfastError, toHoldfastError } from '../../errors.ts'
import { databaseNameFrom } from '../../repository/layout.ts'
import type { Repository } from '../../repository/repository.ts'
import { sqlite } from '../../source/sqlite/sqlite-source.ts'
import type { FollowFlags } from '../commands/follow.ts'
import { formatBytes } from '../format/bytes.ts'
import { counted } from '../format/text.ts'
import type { ResultData } from '../json/schemas.ts'
import { unsentJson } from '../json/unsent.ts'
import { errorDetails, errorFacts, worstExitCode } from '../report-error.ts'
import { type Outcome, openRepository, type Session } from '../session.ts'
import { usageError } from '../usage-error.ts'
import { Followed } from './followed.ts'
import { recordedFollow } from './recorded-follow.ts'
import { StatusReporter } from './status-reporter.ts'
import { tellEvent } from './tell-event.ts'

interface Running {
  readonly followed: Followed
  readonly capture: Capture
  failure: HoldfastError | undefined
}

/** Follows until it is interrupted, or until no database can be followed any more. */
export async function follow(
  session: Session,
  paths: readonly string[],
  flags: FollowFlags,
): Promise<Outcome<'follow'>> {
  const databases = chosen(paths, flags)
  return await recordedFollow(session, databases, flags, () => followAll(session, databases, flags))
}

async function followAll(
  session: Session,
  databases: readonly Followed[],
  flags: FollowFlags,
): Promise<Outcome<'follow'>> {
  const startedAt = session.now()
  await using repository = await openRepository(session)
  using reporter = statusReporter(session, databases)
  await using control = await listenForRequests((message) => session.output.warn(message))
  const running = await startAll(session, repository, databases, flags, control)
  reporter?.tell()
  await Promise.race([interrupted(session.signal), allEnded(session, running)])
  await Promise.all(running.map(stop))
  reporter?.[Symbol.dispose]()
  for (const { followed } of running) warnOfLeft(session, followed)
  const [only, another] = running
  // A single failure is the command's own.
  if (only?.failure !== undefined && another === undefined) throw only.failure
  const failed = running.flatMap(({ failure }) => (failure === undefined ? [] : [errorFacts(failure).exitCode]))
  return {
    data: {
      repository: repository.url,
      databases: running.map(describe),
      durationMs: session.now() - startedAt,
    },
    text: running.map(endText).join('\n'),
    brief: '',
    ...(failed.length === 0 ? {} : { exitCode: worstExitCode(failed) }),
  }
}

function chosen(paths: readonly string[], { database }: FollowFlags): Followed[] {
  const locations = [...new Set(paths.map((path) => resolve(path)))]
  if (database !== undefined && locations.length > 1)
    throw usageError('--database names one database, but several are given.', 'Follow them in processes of their own.')
  const databases = locations.map((path) => new Followed(database ?? databaseNameFrom(basename(path)), path))
  for (const [name, [first, second]] of Map.groupBy(databases, (followed) => followed.database)) {
    if (first !== undefined && second !== undefined)
      throw usageError(
        `${first.location} and ${second.location} would both be "${name}" in the repository.`,
        `Follow one of them in a process of its own, under another name: --database other-${name}.`,
        second.location,
      )
  }
  return databases
}

function statusReporter({ output, stderr, now }: Session, databases: readonly Followed[]): StatusReporter | undefined {
  if (output.json || output.quiet) return undefined
  const terminal = stderr.isTTY ? stderr : undefined
  const reporter = new StatusReporter(databases, { terminal, write: (line) => output.note(line), now })
  output.progress = reporter
  return reporter
}

/** All or none: a database that cannot be followed must not be overlooked among others that are. */
async function startAll(
  session: Session,
  repository: Repository,
  databases: readonly Followed[],
  flags: FollowFlags,
  control: CaptureControl | undefined,
): Promise<Running[]> {
  const starts = await Promise.allSettled(
    databases.map((followed) => start(session, repository, followed, flags, control)),
  )
  const running = starts.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []))
  const failed = starts.find((result) => result.status === 'rejected')
  if (failed === undefined) return running
  await Promise.allSettled(running.map(({ capture }) => capture.stop()))
  throw failed.reason
}

async function start(
  { output, now, signal }: Session,
  repository: Repository,
  followed: Followed,
  flags: FollowFlags,
  control: CaptureControl | undefined,
): Promise<Running> {
  const { database, location } = followed
  // Only a start is given up by an interruption: what has begun is stopped in order.
  const starting = new AbortController()
  const giveUp = () => {
    if (!followed.hasStarted) starting.abort(signal.reason)
  }
  if (signal.aborted) giveUp()
  signal.addEventListener('abort', giveUp, { once: true })
  output.note(`Following ${location} as ${database}.`)
  const onEvent = (event: CaptureEvent) => {
    followed.note(event, now())
    tellEvent(output, followed, event)
  }
  const source = sqlite(location)
  const capture = await followDatabase(source, repository, {
    database,
    unnamedIn: flags.database === undefined ? 'command' : undefined,
    stateFolder: flags.state === undefined ? undefined : join(resolve(flags.state), database),
    syncIntervalMs: flags.syncInterval,
    handOff: { logBytes: flags.handOff, ageMs: flags.handOffAge },
    auditIntervalMs: flags.audit,
    spoolLimitBytes: flags.spoolLimit,
    codec: flags.codec,
    level: flags.level,
    leaseWaitMs: flags.wait,
    busyTimeoutMs: flags.busyTimeout,
    enableWal: flags.enableWal,
    deltaIntervalMs: flags.deltaInterval,
    control,
    signal: starting.signal,
    onEvent,
  })
  followed.logBytes = () => capture.status.logBytes
  return { followed, capture, failure: undefined }
}

/** Resolves when none of them runs any more; tells at once of each that failed. */
async function allEnded({ output }: Session, running: readonly Running[]): Promise<void> {
  const ended = running.map(async (each) => {
    try {
      await each.capture.done
    } catch (thrown) {
      each.failure = toHoldfastError(thrown, each.followed.location)
      if (running.length > 1 && !output.json)
        output.error({ type: 'error', command: 'follow', ...errorFacts(each.failure) }, errorDetails(each.failure))
    }
  })
  await Promise.all(ended)
}

function interrupted(signal: AbortSignal): Promise<void> {
  const { promise, resolve: fire } = Promise.withResolvers<void>()
  if (signal.aborted) fire()
  signal.addEventListener('abort', () => fire(), { once: true })
  return promise
}

async function stop(running: Running): Promise<void> {
  const { capture, followed } = running
  try {
    await capture.stop()
    // That another process had taken the lease shows only as it is given back.
    await capture.done
  } catch (thrown) {
    running.failure ??= toHoldfastError(thrown, followed.location)
  }
  const { lsn, durableLsn, waiting } = capture.status
  followed.lsn = lsn
  followed.uploadedLsn = durableLsn
  followed.left = waiting
}

function warnOfLeft({ output }: Session, { database, left }: Followed): void {
  if (left.gaveUpAfter !== undefined) {
    const message = `Nothing after LSN ${left.gaveUpAfter} was kept, since the spool could not take it: the next "holdfast follow" stores what has changed since, and records the gap.`
    output.warn(message, database)
  }
  if (left.segments === 0) return
  const what = `${counted(left.segments, 'segment')} (${formatBytes(left.bytes)})`
  output.warn(`${what} are not in the repository yet: the next "holdfast follow" uploads them.`, database)
}

function describe({ followed, failure }: Running): ResultData<'follow'>['databases'][number] {
  const { database, location, mode, commits, lsn, uploadedLsn, gaps, left } = followed
  const error = failure === undefined ? null : errorFacts(failure)
  return { database, location, mode, commits, lsn, uploadedLsn, gaps, left: unsentJson(left), error }
}

function endText({ followed, failure }: Running): string {
  const { database, mode, commits, lsn, uploadedLsn, left } = followed
  const taken = `${database}: ${counted(commits, mode === 'commits' ? 'commit' : 'state')} followed`
  if (failure !== undefined) return `${taken}, then it failed.`
  const stored =
    uploadedLsn === lsn
      ? `everything up to LSN ${lsn} is in the repository`
      : `up to LSN ${uploadedLsn} of ${lsn} is in the repository`
  const lost = left.gaveUpAfter === undefined ? '' : `; NOTHING AFTER LSN ${left.gaveUpAfter} WAS KEPT`
  return `${taken}; ${stored}${lost}.`
}
