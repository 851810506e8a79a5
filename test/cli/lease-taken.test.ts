import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { it } from 'node:test'
import { cliOk, scratchFolder } from './support/cli.ts'
import { makeDatabase } from './support/database.ts'
import { FollowerProgram } from './support/follower.ts'

it('a follower whose lease was taken says so when it is told to stop, and does not say that all is in the repository', async (context) => {
  const cwd = await scratchFolder(context)
  makeDatabase(join(cwd, 'app.db'), { journal: 'wal' })
  await cliOk(['init'], { cwd })
  const follower = new FollowerProgram(context, cwd, ['app.db', '--state', 'state'])
  await follower.event('started')
  {
    using application = new DatabaseSync(join(cwd, 'app.db'))
    application.exec("INSERT INTO users (name) VALUES ('followed')")
    await follower.event('uploaded')
  }
  rmSync(join(cwd, 'backups/databases/app/lease.json'))
  await cliOk(['backup', 'app.db', '--type', 'full'], { cwd })
  process.kill(follower.pid, 'SIGINT')
  const { code, exitCode } = await follower.failure()
  assert.deepEqual([code, exitCode], ['LEASE_LOST', 6])
})
