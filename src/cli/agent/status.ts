import { exitCodes } from '../../errors.ts'
import { statusText } from '../present/status.ts'
import type { Outcome, Session } from '../session.ts'
import { connectToAgent } from './agent-client.ts'

const exitCodeOf = { ok: exitCodes.ok, warning: exitCodes.warnings, failing: exitCodes.error } as const

/** @throws NOT_RUNNING, ACCESS_DENIED, USAGE */
export async function status(session: Session): Promise<Outcome<'status'>> {
  using agent = await connectToAgent(session)
  const data = await agent.call('status', undefined, { signal: session.signal })
  return { data, text: statusText(data, session.now()), brief: data.health, exitCode: exitCodeOf[data.health] }
}
