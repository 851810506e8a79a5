/**
 * Where objects lie. Names are fixed-width, so that one listing of a database, in order, is its catalog.
 */
import { toLsn } from '../history/lsn.ts'
import type { SegmentInfo, SegmentKind } from '../history/segment-info.ts'
import type { ObjectInfo } from '../storage/storage.ts'
import type { BackupType } from './manifest.ts'

export const markerKey = 'holdfast.json'
export const recoveryKey = 'RECOVERY.md'
export const formatKey = 'FORMAT.md'
/** On a mirror only. */
export const mirrorKey = 'mirror.json'
export const mirrorLeaseKey = 'mirror-lease.json'
export const databasesPrefix = 'databases/'
export const auditPrefix = 'audit/'
export const agentsPrefix = 'agents/'

export const auditAnchorKey = (chain: string) => `${auditPrefix}${chain}.json`
export const agentRecordKey = (agent: string) => `${agentsPrefix}${agent}.json`
export const databasePrefix = (database: string) => `${databasesPrefix}${database}/`
export const databaseRecordKey = (database: string) => `${databasePrefix(database)}database.json`
export const leaseKey = (database: string) => `${databasePrefix(database)}lease.json`
export const verificationKey = (database: string) => `${databasePrefix(database)}verification.json`
export const retentionKey = (database: string) => `${databasePrefix(database)}retention.json`
export const drillsKey = (database: string) => `${databasePrefix(database)}drills.json`
export const segmentsPrefix = (database: string) => `${databasePrefix(database)}segments/`
export const gapsPrefix = (database: string) => `${databasePrefix(database)}gaps/`
/** After that of the segments, so that whoever lists a log lists the record of a pause, which was put before it, too. */
export const pausesPrefix = (database: string) => `${databasePrefix(database)}untimed/`
export const backupsPrefix = (database: string) => `${databasePrefix(database)}backups/`

const ownFiles: readonly string[] = [markerKey, recoveryKey, formatKey, mirrorKey, mirrorLeaseKey]
const ownPrefixes = [databasesPrefix, auditPrefix, agentsPrefix]

/** Whether a path from the repository's root is one that the repository itself uses; its folder may hold other files too. */
export function isRepositoryKey(key: string): boolean {
  return ownFiles.includes(key) || ownPrefixes.some((prefix) => `${key}/`.startsWith(prefix))
}

const hex = (value: number, digits: number) => value.toString(16).padStart(digits, '0')

export function segmentKey(database: string, segment: Omit<SegmentInfo, 'key' | 'bytes'>): string {
  const { from, to, firstTime, lastTime, epoch, kind } = segment
  return `${segmentsPrefix(database)}${hex(from, 16)}-${hex(to, 16)}-${hex(firstTime, 12)}-${hex(lastTime, 12)}-${hex(epoch, 8)}-${kind}.hfs`
}

interface Stretch {
  readonly fromLsn: number
  readonly toLsn: number
}

const stretchName = ({ fromLsn, toLsn }: Stretch) => `${hex(fromLsn, 16)}-${hex(toLsn, 16)}.json`
export const gapKey = (database: string, gap: Stretch) => `${gapsPrefix(database)}${stretchName(gap)}`
export const pauseKey = (database: string, pause: Stretch) => `${pausesPrefix(database)}${stretchName(pause)}`

const segmentName = /^([0-9a-f]{16})-([0-9a-f]{16})-([0-9a-f]{12})-([0-9a-f]{12})-([0-9a-f]{8})-(base|delta|log)\.hfs$/

const isSegmentKind = (text: string): text is SegmentKind => text === 'base' || text === 'delta' || text === 'log'

/** Undefined if the object's name is not a segment's, or contradicts itself. */
export function parseSegmentKey(object: Pick<ObjectInfo, 'key' | 'size'>): SegmentInfo | undefined {
  const match = segmentName.exec(object.key.slice(object.key.lastIndexOf('/') + 1))
  const [, ...parts] = match ?? []
  const kind = parts.pop()
  const [from, to, firstTime, lastTime, epoch] = parts.map((part) => Number.parseInt(part, 16))
  if (kind === undefined || !isSegmentKind(kind)) return undefined
  if (
    from === undefined ||
    to === undefined ||
    firstTime === undefined ||
    lastTime === undefined ||
    epoch === undefined
  )
    return undefined
  if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from >= to || firstTime > lastTime) return undefined
  if (kind === 'base' && from !== 0) return undefined
  return { kind, from: toLsn(from), to: toLsn(to), epoch, firstTime, lastTime, bytes: object.size, key: object.key }
}

export function manifestKey(
  database: string,
  backup: { readonly capturedAt: string; readonly type: BackupType; readonly id: string },
): string {
  const time = backup.capturedAt.replace(/[-:.]/g, '')
  return `${backupsPrefix(database)}${time}-${backup.type}-${backup.id}.json`
}

/** The id of the backup whose manifest lies under that key; undefined for any other object. */
export function backupIdOfKey(key: string): string | undefined {
  return /\/backups\/[^/]*-([a-z0-9]{12})\.json$/.exec(key)?.[1]
}

/** In characters. */
export const longestDatabaseName = 100
const databaseNamePattern = /^[A-Za-z0-9_][A-Za-z0-9._+=-]*$/

export function isDatabaseName(name: string): boolean {
  return name.length <= longestDatabaseName && databaseNamePattern.test(name)
}

/** A legal name made of a file's: `my app.db` becomes `my-app`. */
export function databaseNameFrom(fileName: string): string {
  const stem = fileName.replace(/\.(db|db3|sqlite|sqlite3|s3db|sl3)$/i, '')
  const name = stem
    .replace(/[^A-Za-z0-9._+=-]+/g, '-')
    .replace(/^[^A-Za-z0-9_]+/, '')
    .slice(0, longestDatabaseName)
  return name === '' ? 'database' : name
}
