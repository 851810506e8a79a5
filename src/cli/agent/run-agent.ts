import { once } from 'node:events'
import { Agent } from '../../agent/agent.ts'
import { AgentLog } from '../../agent/agent-log.ts'
import { requireConfig } from '../../agent/config/load-config.ts'
import { systemSchedulerClock } from '../../agent/schedule/scheduler-clock.ts'
import type { Unsent } from '../../capture/capture-events.ts'
import { systemClock } from '../../capture/clock.ts'
import { exitCodes } from '../../errors.ts'
import { type HttpServer, startHttpServer } from '../../server/http-server.ts'
import { formatBytes } from '../format/bytes.ts'
import { unsentJson } from '../json/unsent.ts'
import { leaveBy } from '../leave.ts'
import type { Outcome, Session } from '../session.ts'
import { ConfigWatch } from './config-watch.ts'
import type { HangUps } from './hang-ups.ts'

/** For what is on its way out when the agent has stopped. */
const lingerMs = 5_000
/** A stop takes hardly longer than it may, unless what it writes down hangs. */
const longestOverrunMs = 30_000

/** @throws CONFIG_INVALID, LEASE_HELD, REPOSITORY_NOT_FOUND, USAGE, STORAGE_* */
export async function runAgent(session: Session, hangUps: HangUps): Promise<Outcome<'run'>> {
  const { path } = session.configFile
  using watch = await ConfigWatch.of(path, systemSchedulerClock({ keepsAlive: false }))
  const config = await requireConfig(path)
  const log = new AgentLog(config.log, (line) => session.stderr.write(`${line}\n`), session.now)
  const clock = { ...systemClock, ...systemSchedulerClock({ keepsAlive: true }) }
  const journal = await session.journal.open({
    onWarning: (message, path, code) => log.warn(message, { journal: path, code }),
    onRecovered: (message) => log.info(message),
  })
  const { signal } = session
  const agent = await Agent.start({ config, log, journal, clock, readConfig: () => requireConfig(path), signal })
  let server: HttpServer | undefined
  try {
    if (config.server !== undefined) {
      const { host, port, allowRemote } = config.server
      server = await startHttpServer({
        listen: { host, port },
        allowRemote,
        metrics: { render: () => agent.renderMetrics() },
        health: () => agent.health(),
        onError: (error) => log.error(`A request could not be answered. ${error.message}`),
      })
      log.info(`Metrics and health are at ${server.url}.`)
    }
    const reload = (): void => {
      if (signal.aborted) return
      // What is wrong with it is in the log.
      agent.reload().catch(() => {})
    }
    hangUps.hear(reload)
    watch.begin(reload)
    if (!signal.aborted) await once(signal, 'abort')
  } finally {
    // What hangs must not keep a process alive that has stopped, or that cannot.
    const late = setTimeout(() => leaveBy('SIGTERM'), agent.stopTimeoutMs + longestOverrunMs).unref()
    try {
      await server?.[Symbol.asyncDispose]()
      await agent.stop()
    } finally {
      clearTimeout(late)
      setTimeout(() => leaveBy('SIGTERM'), lingerMs).unref()
    }
  }
  const left = [...(await agent.stop())].filter(
    ([, { segments, gaveUpAfter }]) => segments > 0 || gaveUpAfter !== undefined,
  )
  return {
    data: { left: left.map(([database, unsent]) => ({ database, ...unsentJson(unsent) })) },
    text: left.map(([database, unsent]) => `${database}: ${leftText(unsent)}`).join('\n'),
    brief: '',
    exitCode: left.length === 0 ? exitCodes.ok : exitCodes.warnings,
  }
}

function leftText({ segments, bytes, gaveUpAfter }: Unsent): string {
  return [
    ...(segments === 0 ? [] : [`${formatBytes(bytes)} wait for the next start, which uploads them.`]),
    ...(gaveUpAfter === undefined ? [] : [`Nothing after LSN ${gaveUpAfter} was kept: the spool was full.`]),
  ].join(' ')
}
