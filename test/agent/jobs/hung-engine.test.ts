/** An engine that hangs, because somebody stopped it, in the middle of what the agent does. */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { describe, it, type TestContext } from 'node:test'
import { setImmediate as soon } from 'node:timers/promises'
import { drill } from '../../../src/agent/jobs/drill.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { openStorage } from '../../../src/storage/open-storage.ts'
import { SampleDatabase } from '../../scenarios/support/sample-database.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { databaseConfig } from '../support/database-config.ts'
import { stopProcess } from '../support/stop-process.ts'

const hour = 3_600_000

describe('a drill of the agent whose engine hangs', {
  skip: existsSync('/proc/self/stat') ? false : 'no /proc',
}, () => {
  it('ends, and says so; the next one passes', async (t: TestContext) => {
    using folder = temporaryFolder()
    const place = folder.file('repository')
    await using repository = await Repository.init(await openStorage(place))
    await new SampleDatabase(folder.path).backup(repository, { type: 'full' })
    const run = (command: string) => {
      const { drill: usual } = databaseConfig({ source: { kind: 'path', path: '/app.db', name: undefined } })
      const config = { drill: { ...usual, command, scratchFolder: folder.path } }
      return drill(place, { name: 'app', config, isThere: async () => true }, new AbortController().signal)
    }
    t.mock.timers.enable({ apis: ['setInterval'] })
    const marker = folder.file('engine')
    const untilItIsGone = 'while kill -0 $PPID; do sleep 0.1; done'
    const ending = run(`echo $PPID > ${marker}.new; mv ${marker}.new ${marker}; ${untilItIsGone}`)
    while (!existsSync(marker)) await soon()
    await stopProcess(Number(readFileSync(marker, 'utf8')))
    t.mock.timers.tick(hour)
    const { outcome, code, message } = await ending
    assert.deepEqual([outcome, code], ['inconclusive', 'ENGINE_DIED'])
    assert.match(message ?? '', /no sign of life for 10 min/)
    assert.equal((await run('true')).outcome, undefined)
  })
})
