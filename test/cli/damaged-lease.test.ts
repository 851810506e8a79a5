import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { cli, cliOk, scratchFolder } from './support/cli.ts'
import { change, count, makeDatabase } from './support/database.ts'
import { FollowerProgram } from './support/follower.ts'
import { cliJson } from './support/json-lines.ts'

async function scene(context: TestContext) {
  const cwd = await scratchFolder(context)
  makeDatabase(join(cwd, 'app.db'))
  await cliOk(['init'], { cwd })
  const { last } = await cliJson('backup', ['app.db'], { cwd })
  change(join(cwd, 'app.db'), "INSERT INTO users (name) VALUES ('more')")
  const lease = join(cwd, 'backups/databases/app/lease.json')
  const damage = (): void => writeFileSync(lease, '{ "holdfast"')
  return { cwd, id: last.backups[0]?.backup.id ?? assert.fail(), damage, read: () => readFileSync(lease, 'utf8') }
}

it('a damaged lease holds up no command that writes, which says so and replaces it', async (context) => {
  const { cwd, id, damage } = await scene(context)
  const commands = [
    ['backup', 'app.db', '--type', 'full'],
    ['compact', 'app'],
    ['expire', 'app', '--keep-last', '5', '--yes'],
    ['delete', 'app', id, '--yes'],
  ]
  for (const args of commands) {
    damage()
    const { code, stdout, stderr } = await cli(args, { cwd })
    assert.equal(code, 3, `${args.join(' ')}: ${stdout} ${stderr}`)
    assert.match(stderr, /lease\.json is damaged.* It is replaced: should another user/)
    const again = await cli(['doctor', '--repository', 'backups'], { cwd })
    assert.doesNotMatch(`${again.stdout} ${again.stderr}`, /lease/, 'it was replaced')
  }
  damage()
  const doctor = await cli(['doctor', '--repository', 'backups'], { cwd })
  assert.match(`${doctor.stdout} ${doctor.stderr}`, /lease\.json/)
  assert.equal(doctor.code, 3)
})

it('under the damaged lease of a follower of this machine, that one does what is asked, and no commit is lost', async (context) => {
  const { cwd, id, damage, read } = await scene(context)
  const follower = new FollowerProgram(context, cwd, ['app.db'])
  const { lsn } = await follower.event('started')
  // With that, the follower has written its lease for the next twenty minutes.
  while (!read().includes('coveredAt')) await sleep(20)
  const commands = [
    ['backup', 'app.db', '--type', 'full'],
    ['compact', 'app'],
    ['expire', 'app', '--keep-last', '5', '--yes'],
    ['delete', 'app', id, '--yes', '--force'],
  ]
  for (const [times, args] of commands.entries()) {
    damage()
    const { code, stdout, stderr } = await cli(args, { cwd })
    assert.equal(code, 3, `${args.join(' ')}: ${stdout} ${stderr}`)
    assert.match(stderr, /lease\.json is damaged.* The process that follows app was found all the same/)
    change(join(cwd, 'app.db'), `INSERT INTO users (name) VALUES ('after ${times}')`)
    await follower.event('uploaded', (line) => line.lsn > lsn + times)
  }
  await cliOk(['verify', 'app', '--level', 'restore'], { cwd })
  await cliOk(['restore', 'app', '--latest', '--to', 'out.db'], { cwd })
  assert.equal(count(join(cwd, 'out.db'), 'users'), count(join(cwd, 'app.db'), 'users'))
})
