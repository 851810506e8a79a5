import { parseOptions } from '../engine/parse-options.ts'
import { drillRequest } from '../verify/drill/drill-schema.ts'
import type { RunDrillOptions } from '../verify/drill/run-drill.ts'
import { verifyRequest } from '../verify/engine-api.ts'
import type { VerifyBackupsOptions } from '../verify/verify-backups.ts'
import type { RecordedFacts } from './journal/recorder.ts'
import { stateParameters } from './state-parameters.ts'

/** What is recorded of the begin of a verification. @throws USAGE */
export function verifyFacts(options: VerifyBackupsOptions): RecordedFacts {
  const { repository: _, engine: _engine, signal: _signal, onProgress: _onProgress, ...asked } = options
  const { level = 'data', databases, backup, subset, maxDurationMs } = parseOptions(verifyRequest, asked)
  const [only, another] = databases ?? []
  return {
    kind: 'verify',
    database: another === undefined ? only : undefined,
    type: level,
    parameters: {
      databases: databases === undefined ? 'all' : databases.join(' '),
      backup: backup ?? null,
      subset: subset ?? null,
      maxDurationMs: maxDurationMs ?? null,
    },
  }
}

/** Of that of a drill. The command stays out: it may hold a secret. @throws USAGE */
export function drillFacts(options: RunDrillOptions): RecordedFacts {
  const { repository: _, engine: _engine, signal: _signal, onProgress: _onProgress, database, ...asked } = options
  const { state, assertions, command, maxRecoveryMs, maxAgeMs } = parseOptions(drillRequest, asked)
  return {
    kind: 'drill',
    database,
    parameters: {
      ...stateParameters(state ?? { by: 'latest' }),
      assertions: assertions?.length ?? 0,
      command: command !== undefined,
      maxRecoveryMs: maxRecoveryMs ?? null,
      maxAgeMs: maxAgeMs ?? null,
    },
  }
}
