import { mirrorEnding } from '../agent/journal/mirror-ending.ts'
import type { EngineSettings, RecordingOptions } from '../backup/manager-options.ts'
import { parseOptions } from '../engine/parse-options.ts'
import { linkStorage } from '../engine/storage-link.ts'
import { mirrorRequest } from '../maintenance/mirror/engine-api.ts'
import type { MirrorReport } from '../maintenance/mirror/mirror-options.ts'
import {
  type MirrorRepositoryOptions as MirrorOptions,
  mirrorRepository as mirror,
  promoteMirror as promote,
} from '../maintenance/mirror/mirror-repository.ts'
import type { PromotedMirror, PromoteOptions } from '../maintenance/mirror/promote.ts'
import type { BackupStorage } from '../storage/storage.ts'
import type { RecordedFacts } from './journal/recorder.ts'
import { recordedOn } from './recorded-on.ts'

/** Progress phases: `copy` (bytes of segments), `documents` and `delete` (objects). */
export interface MirrorRepositoryOptions extends MirrorOptions, RecordingOptions {}

/**
 * Brings a mirror up to date, or begins one in an empty place: a copy of the whole repository in another storage, which can be restored
 * from like the repository, and which nothing but this writes to. Every object is checked while it is copied. What was deleted in the
 * repository is deleted on the mirror a while later; what got lost there is kept. It runs in an engine process, unless `to` is a storage of
 * your own.
 *
 * @throws MIRROR if the place is something else; USAGE for a folder in that of the repository, or around it; REPOSITORY_NOT_FOUND, NAME_NOT_FOUND, LEASE_HELD, INTEGRITY, DISK_FULL, STORAGE_*,
 * ENGINE_DIED, ABORTED
 * @example
 * import { mirrorRepository } from 'holdfast'
 * const { complete, findings } = await mirrorRepository({ repository: './backups', to: '/mnt/nas/holdfast' })
 * if (!complete) console.error(findings)
 */
export async function mirrorRepository(options: MirrorRepositoryOptions): Promise<MirrorReport> {
  const { journal, ...rest } = options
  return await recordedOn({
    repository: rest.repository,
    options: { journal, engine: rest.engine },
    facts: await factsOf(rest),
    work: () => mirror(rest),
    endingOf: mirrorEnding,
  })
}

async function factsOf(options: MirrorOptions): Promise<RecordedFacts | undefined> {
  const { repository: _, engine: _engine, signal: _signal, onProgress: _onProgress, to, ...asked } = options
  const { databases = [], dryRun } = parseOptions(mirrorRequest, asked)
  if (dryRun === true) return undefined
  const [database, another] = databases
  await using link = await linkStorage(to)
  return { kind: 'mirror', type: link.storage.url, database: another === undefined ? database : undefined }
}

export interface PromoteMirrorOptions extends PromoteOptions, RecordingOptions {
  /** The process that writes the journal. */
  readonly engine?: EngineSettings | undefined
}

/**
 * Makes a mirror the repository, after the one that it was made from is lost. Mirroring to it is refused from then on.
 *
 * @param place a path or URL, or a storage of your own
 * @throws MIRROR if it is no mirror, or only a part of one; LEASE_HELD, INTEGRITY, STORAGE_*, ABORTED
 * @example
 * import { promoteMirror } from 'holdfast'
 * const { url, databases } = await promoteMirror('/mnt/nas/holdfast')
 */
export async function promoteMirror(
  place: string | BackupStorage,
  options: PromoteMirrorOptions = {},
): Promise<PromotedMirror> {
  const { journal, engine, ...rest } = options
  return await recordedOn({
    repository: place,
    options: { journal, engine },
    facts: { kind: 'promote', parameters: { force: rest.force === true } },
    work: () => promote(place, rest),
    endingOf: ({ formerSource }) => ({ type: formerSource }),
  })
}
