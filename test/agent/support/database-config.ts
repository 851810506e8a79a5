import type { DatabaseConfig } from '../../../src/agent/config/config.ts'

/** With plain defaults, for tests that look at one part of it. */
export function databaseConfig(part: Partial<DatabaseConfig> & Pick<DatabaseConfig, 'source'>): DatabaseConfig {
  return {
    follow: undefined,
    schedules: [],
    retention: undefined,
    compression: { codec: 'zstd', level: 1 },
    validation: 'quick',
    tags: {},
    verify: { level: 'data', subset: 1, maxDurationMs: undefined, scratchFolder: undefined },
    drill: {
      state: 'latest',
      assertions: [],
      expectTables: {},
      command: undefined,
      commandTimeoutMs: 60_000,
      maxRecoveryTimeMs: undefined,
      maxAgeMs: undefined,
      scratchFolder: undefined,
    },
    hooks: [],
    overdueAfterMs: undefined,
    lagLimitMs: 60_000,
    ...part,
  }
}
