import type { Clock } from '../capture/clock.ts'
import type { AgentLog } from './agent-log.ts'
import type { Config } from './config/config.ts'
import type { Journal } from './journal/journal.ts'
import type { MeasureDisk } from './notify/conditions/disk.ts'
import type { SchedulerClock } from './schedule/scheduler-clock.ts'

export interface AgentOptions {
  readonly config: Config
  readonly log: AgentLog
  readonly journal: Journal
  readonly clock: Clock & SchedulerClock
  /** Reads the configuration anew, when that is asked for. @throws ConfigError */
  readonly readConfig: () => Promise<Config>
  /** Fires: the start is given up. Later it means nothing. */
  readonly signal?: AbortSignal | undefined
  /** How full disks are; default: as the system says. */
  readonly measure?: MeasureDisk | undefined
}
