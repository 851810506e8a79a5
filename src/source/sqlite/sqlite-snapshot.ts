import { fstatSync } from 'node:fs'
import type { PageBatch } from '../page-batch.ts'
import type { Inspection, InspectOptions, OpenSnapshotOptions, SourceSnapshot } from '../source.ts'
import { begin, connect } from './connect.ts'
import { requireEngineVersion } from './engine-version.ts'
import { explainError } from './explain-error.ts'
import { type FileProbe, openDatabaseFile, probeFile } from './file-probe.ts'
import { type HeldState, holdState } from './held-state.ts'
import { readPages } from './page-reader.ts'
import { PendingReads } from './pending-reads.ts'
import { ReaderClient } from './reader/client.ts'

const defaultBusyTimeoutMs = 5000

/** See {@link BackupSource.openSnapshot}. */
export async function openSqliteSnapshot(location: string, options: OpenSnapshotOptions): Promise<SourceSnapshot> {
  const waiting = { waitMs: options.busyTimeoutMs ?? defaultBusyTimeoutMs, signal: options.signal }
  // What is acquired here is released in the reverse order: descriptors last, after SQLite has closed (see descriptors.ts).
  await using resources = new AsyncDisposableStack()
  const { path, descriptors } = openDatabaseFile(location)
  resources.use(descriptors)
  const probe = probeFile(location, path, descriptors)
  try {
    const reader = resources.use(new ReaderClient(location))
    const opened = await connect(reader, probe, waiting)
    requireEngineVersion(opened.engineVersion)
    const begun = await begin(reader, probe, descriptors, opened, waiting)
    const capturedAt = Date.now()
    const state = resources.use(await holdState(probe, descriptors, begun, options.signal))
    const reads = resources.use(new PendingReads(location))
    const taken = { capturedAt, blocksWriters: !begun.usesLog, fileStamp: stampOf(descriptors.database) }
    return new SqliteSnapshot(probe, state, reader, reads, resources.move(), taken)
  } catch (thrown) {
    throw explainError(thrown, probe)
  }
}

class SqliteSnapshot implements SourceSnapshot {
  readonly pageSize: number
  readonly pageCount: number
  readonly capturedAt: number
  readonly blocksWriters: boolean
  readonly fileStamp: string
  readonly #probe: FileProbe
  readonly #state: HeldState
  readonly #reader: ReaderClient
  readonly #resources: AsyncDisposableStack
  readonly #reads: PendingReads

  constructor(
    probe: FileProbe,
    state: HeldState,
    reader: ReaderClient,
    reads: PendingReads,
    resources: AsyncDisposableStack,
    taken: { readonly capturedAt: number; readonly blocksWriters: boolean; readonly fileStamp: string },
  ) {
    this.pageSize = state.pages.pageSize
    this.pageCount = state.pages.pageCount
    this.capturedAt = taken.capturedAt
    this.blocksWriters = taken.blocksWriters
    this.fileStamp = taken.fileStamp
    this.#probe = probe
    this.#state = state
    this.#reader = reader
    this.#reads = reads
    this.#resources = resources
  }

  async *pages(
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): AsyncGenerator<PageBatch, void, undefined> {
    this.#reads.requireOpen()
    yield* readPages(this.#state.pages, this.#reads, options.signal)
    this.#reads.requireOpen()
    this.#state.requireUnchanged()
  }

  async inspect(options: InspectOptions): Promise<Inspection> {
    this.#reads.requireOpen()
    const { validation, rowCounts, signal } = options
    try {
      return await this.#reader.inspect({ validation, rowCounts }, signal)
    } catch (thrown) {
      throw explainError(thrown, this.#probe)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync()
  }
}

function stampOf(descriptor: number): string {
  const { dev, ino, size, mtimeNs, ctimeNs } = fstatSync(descriptor, { bigint: true })
  return [dev, ino, size, mtimeNs, ctimeNs].join(':')
}
