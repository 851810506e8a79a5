import { lastComplete } from '../../agent/journal/mirror-runs.ts'
import type { RecordedOperation } from '../../agent/journal/recorded-operation.ts'
import { toHoldfastError } from '../../errors.ts'
import { type MirrorLag, type MirrorState, measureMirror } from '../../maintenance/mirror/measure-mirror.ts'
import { markerKey } from '../../repository/layout.ts'
import type { Repository } from '../../repository/repository.ts'
import { openStorage } from '../../storage/open-storage.ts'
import type { ResultData } from '../json/schemas.ts'
import { isoTime } from '../json/to-json.ts'
import type { Session } from '../session.ts'
import { configuredMirrors } from './configured-mirrors.ts'

type State = ResultData<'stats'>['mirrors'][number]

/** A place that is away, and that the configuration does not name, has been given up if nothing was mirrored to it for so long. */
const givenUpMs = 30 * 86_400_000

interface Place {
  readonly url: string
  /** A path or URL. */
  readonly to: string
  readonly isConfigured: boolean
  /** As far as the history of this machine knows. */
  readonly completeAt: number | undefined
}

/**
 * Where the mirrors of the repository are that the configuration or the history of this machine names, and how far each is behind.
 * @param operations of the repository, oldest first
 * @param databases names; default: all
 * @throws CONFIG_INVALID, ACCESS_DENIED, ABORTED
 */
export async function mirrorStates(
  session: Session,
  repository: Repository,
  operations: readonly RecordedOperation[],
  databases: readonly string[] | undefined,
): Promise<State[]> {
  const states: State[] = []
  for (const place of await knownPlaces(session, repository, operations)) {
    const found = await look(session, repository, place, databases)
    if (found !== undefined) states.push(found)
  }
  return states
}

async function look(
  { signal, now }: Session,
  repository: Repository,
  { url, to, isConfigured, completeAt }: Place,
  databases: readonly string[] | undefined,
): Promise<State | undefined> {
  const isExpected = isConfigured || (completeAt !== undefined && now() - completeAt < givenUpMs)
  const missing = (problem: string): State => ({
    mirror: url,
    completeAt: optionalTime(completeAt),
    behind: null,
    problem,
  })
  try {
    await using stack = new AsyncDisposableStack()
    const storage = stack.adopt(await openStorage(to), (opened) => opened.close())
    const state = await measureMirror(repository, storage, { databases, signal })
    if (state !== undefined) return stateData(url, state)
    const isRepository = (await storage.head(markerKey, { signal })) !== undefined
    // One that was promoted is nobody's mirror any more, unless the configuration says that it should be.
    if (!isExpected || (isRepository && !isConfigured)) return undefined
    return missing('There is no mirror of this repository.')
  } catch (thrown) {
    signal.throwIfAborted()
    return isExpected ? missing(toHoldfastError(thrown, url).message) : undefined
  }
}

async function knownPlaces(
  session: Session,
  repository: Repository,
  operations: readonly RecordedOperation[],
): Promise<readonly Place[]> {
  const runs = operations.filter(({ kind }) => kind === 'mirror')
  const complete = lastComplete(runs)
  const places = new Map<string, Place>()
  const add = (url: string, to: string, isConfigured: boolean): void =>
    void places.set(url, { url, to, isConfigured, completeAt: complete.get(url) })
  // What was in the memory of another process is gone.
  for (const { type: url } of runs) if (url?.startsWith('memory:') === false) add(url, url, false)
  // The configuration's mirrors are those of its own repository.
  const configured = session.isLocationImplied ? await configuredMirrors(session) : []
  for (const { name, to } of configured) add(name, to, true)
  places.delete(repository.url)
  return [...places.values()].sort((a, b) => a.url.localeCompare(b.url))
}

function stateData(mirror: string, { completeAt, behind }: MirrorState): State {
  const sum = (count: (lag: MirrorLag) => number) => behind.reduce((total, lag) => total + count(lag), 0)
  return {
    mirror,
    completeAt: optionalTime(completeAt),
    behind: {
      objects: sum(({ objects }) => objects),
      bytes: sum(({ bytes }) => bytes),
      lsns: sum(({ lsns }) => lsns),
      databases: behind.map((each) => ({ ...each })),
    },
    problem: null,
  }
}

const optionalTime = (time: number | undefined): string | null => (time === undefined ? null : isoTime(time))
