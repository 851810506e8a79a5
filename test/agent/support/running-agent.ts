import { mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { stringify } from 'yaml'
import { Agent } from '../../../src/agent/agent.ts'
import { AgentLog } from '../../../src/agent/agent-log.ts'
import type { AgentStatus } from '../../../src/agent/agent-status.ts'
import { requireConfig } from '../../../src/agent/config/load-config.ts'
import { Journal } from '../../../src/agent/journal/journal.ts'
import type { MeasureDisk } from '../../../src/agent/notify/conditions/disk.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { openStorage } from '../../../src/storage/open-storage.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { actor } from '../journal/support/journals.ts'
import { LeapClock } from './leap-clock.ts'

/** What several agents may have in common: a folder with a repository in it. */
export async function agentPlace() {
  const folder = temporaryFolder()
  const repository = await Repository.init(await openStorage(folder.file('backups')))
  return { ...folder, repository: folder.file('backups'), opened: repository }
}

interface RunningOptions {
  readonly clock?: LeapClock
  readonly measure?: MeasureDisk
  /** How long its journal is waited for, in milliseconds. */
  readonly journalPatienceMs?: number
}

/** A real agent with its workers, in this process, by a clock of the test's own. */
export class RunningAgent implements AsyncDisposable {
  readonly lines: readonly string[]
  readonly agent: Agent
  readonly clock: LeapClock

  private constructor(agent: Agent, clock: LeapClock, lines: string[]) {
    this.agent = agent
    this.clock = clock
    this.lines = lines
  }

  /** @param home folder of its configuration and its state */
  static async start(
    home: string,
    config: object,
    { clock = new LeapClock(), measure, journalPatienceMs }: RunningOptions = {},
  ): Promise<RunningAgent> {
    mkdirSync(home, { recursive: true })
    const file = `${home}/holdfast.yaml`
    writeFileSync(file, stringify({ stateFolder: `${home}/state`, ...config }))
    const lines: string[] = []
    const now = (): number => clock.now()
    const log = new AgentLog({ level: 'debug', format: 'text' }, (line) => void lines.push(line), now)
    const journal = new Journal({
      path: `${home}/journal.db`,
      actor,
      now,
      patienceMs: journalPatienceMs,
      onWarning: (message) => void lines.push(message),
      onRecovered: (message) => void lines.push(message),
    })
    const readConfig = () => requireConfig(file)
    const agent = await Agent.start({ config: await readConfig(), log, journal, clock, readConfig, measure })
    return new RunningAgent(agent, clock, lines)
  }

  get problems(): AgentStatus['problems'] {
    return this.agent.status().problems
  }

  /** Waits until something holds, for at most a minute of the machine's own time. @param step what is done again and again meanwhile */
  async until(what: string, holds: () => boolean, step: () => unknown = () => {}): Promise<void> {
    for (const end = performance.now() + 60_000; !holds(); ) {
      if (performance.now() > end)
        throw new Error(`It never came to this: ${what}.\n${JSON.stringify(this.problems)}\n${this.lines.join('\n')}`)
      await step()
      await sleep(50)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.agent.stop()
  }
}
