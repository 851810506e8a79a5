/** The options that managers are opened with: from JavaScript they may be anything. */
import { z } from 'zod'
import type { BackupManagerOptions } from '../backup/manager-options.ts'
import { parseOptions } from '../engine/parse-options.ts'
import { runningKeys } from '../engine/running-options.ts'
import { HoldfastError } from '../errors.ts'
import { checkEngine } from './check-engine.ts'
import { refuseUnknown } from './refuse-unknown.ts'
import type { RestoreManagerOptions } from './restore-manager.ts'

const { signal } = runningKeys
const backupManagerOptions = z.looseObject({
  sources: z.array(z.unknown()).optional(),
  database: z.string().min(1).optional(),
  init: z.boolean().optional(),
  defaults: z.looseObject({}).optional(),
  signal,
})
const restoreManagerOptions = z.looseObject({ database: z.string().min(1), signal })

/** All that there are, of every kind of manager. */
type KeyOf<T> = T extends unknown ? keyof T : never

const backupManagerKeys = {
  database: true,
  defaults: true,
  engine: true,
  init: true,
  journal: true,
  maxConcurrentBackups: true,
  repository: true,
  retention: true,
  signal: true,
  source: true,
  sources: true,
} as const satisfies Record<KeyOf<BackupManagerOptions>, true>

/** A mistyped `retention` would let the usual one delete. @throws USAGE */
export function checkBackupManager(options: BackupManagerOptions): void {
  parseOptions(backupManagerOptions, options)
  refuseUnknown(options, backupManagerKeys)
  checkEngine(options)
  const { source, database, sources } = options
  if (sources === undefined || (source === undefined && database === undefined)) return
  throw new HoldfastError(
    'USAGE',
    `Either "${source === undefined ? 'database' : 'source'}" or "sources" can be given.`,
    {
      hint: 'Give all of them in "sources", those with names of their own as { source, database }.',
    },
  )
}

/** @throws USAGE */
export function checkRestoreManager(options: RestoreManagerOptions): void {
  parseOptions(restoreManagerOptions, options)
  checkEngine(options)
}
