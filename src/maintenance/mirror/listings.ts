import type { SegmentInfo } from '../../history/segment-info.ts'
import { databasePrefix, parseSegmentKey, segmentsPrefix } from '../../repository/layout.ts'
import type { BackupStorage, OperationOptions } from '../../storage/storage.ts'
import type { Listed } from './object-kind.ts'
import type { DatabaseRun } from './run-context.ts'

/** What both sides list of a database. */
export interface Listings {
  readonly source: readonly Listed[]
  readonly mirror: readonly Listed[]
}

export async function listAgain({ sides, source, options }: DatabaseRun): Promise<Listings> {
  const prefix = databasePrefix(source.name)
  return {
    source: await listAll(sides.source.storage, prefix, options),
    mirror: await listAll(sides.mirror.storage, prefix, options),
  }
}

export async function listAll(storage: BackupStorage, prefix: string, options: OperationOptions): Promise<Listed[]> {
  const all: Listed[] = []
  for await (const { key, size } of storage.list(prefix, options)) all.push({ key, size })
  return all
}

export function segmentsOf(name: string, listed: readonly Listed[]): SegmentInfo[] {
  const prefix = segmentsPrefix(name)
  return listed.flatMap((object) => (object.key.startsWith(prefix) ? (parseSegmentKey(object) ?? []) : []))
}
