import assert from 'node:assert/strict'
import { chmodSync, chownSync, lstatSync, mkdirSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import { z } from 'zod'
import { AgentProgram, writeConfig } from '../../cli/support/agent.ts'
import { cli } from '../../cli/support/cli.ts'
import { makeDatabase } from '../../cli/support/database.ts'
import { agentPlace } from '../support/running-agent.ts'

const statusOf = z.looseObject({
  problems: z.array(z.looseObject({ summary: z.string() })),
  gone: z.array(z.unknown()),
})
const nobody = 65_534
/** Root may read everything. */
const isRoot = process.getuid?.() === 0

it('a folder of tenants that cannot be read is told, also after a restart, and its database stays looked after', async (context) => {
  await using place = await agentPlace()
  const { repository, file } = place
  for (const name of ['a', 'b', 'c', 'd', 'e']) {
    mkdirSync(file(`t/${name}`), { recursive: true })
    makeDatabase(file(`t/${name}/app.db`))
  }
  const databases = [{ glob: file('t/*/*.db'), schedules: [], verify: false }]
  writeConfig(file(''), { repository, databases })
  if (isRoot) giveAway(place.path)
  const start = () => new AgentProgram(context, file(''), {}, isRoot ? nobody : undefined)
  const told = /^A database of .* is not as before \(c-app\): it cannot be looked at \(EACCES: /
  const lost = /c-app is not looked after any more|c-app.* gone/

  const first = start()
  for (const name of ['a', 'b', 'c', 'd', 'e']) await first.line(new RegExp(`^Following ${name}-app: `))
  chmodSync(file('t/c'), 0)
  first.signal('SIGHUP')
  await first.line(told)
  await first.stop()
  assert.ok(!first.lines.some(({ message }) => lost.test(message)))

  const second = start()
  await second.line(/^The following of c-app failed: /)
  // It goes on from what the first told: that is not over.
  const { stdout, code } = await cli(['status', '--json'], { cwd: file(''), env: { XDG_STATE_HOME: file('xdg') } })
  assert.equal(code, 1)
  const status = statusOf.parse(JSON.parse(stdout))
  assert.ok(status.problems.some(({ summary }) => told.test(summary)))
  assert.deepEqual(status.gone, [])
  assert.ok(!second.lines.some(({ message }) => lost.test(message)))
  chmodSync(file('t/c'), 0o700)
  second.signal('SIGHUP')
  await second.line(/^Over: A database .* is not as before/)
  await second.line(/^Following c-app: /)
  await second.stop()
})

function giveAway(path: string): void {
  chownSync(path, nobody, nobody)
  if (lstatSync(path).isDirectory()) for (const name of readdirSync(path)) giveAway(join(path, name))
}
