/** Two captures that were given one state folder by mistake. */
import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { followDatabase } from '../../src/capture/follow-database.ts'
import { stateFolderId } from '../../src/capture/state-folder.ts'
import { hasCode } from '../../src/errors.ts'
import { Repository } from '../../src/repository/repository.ts'
import { MemoryStorage } from '../../src/storage/memory.ts'
import { openStorage } from '../../src/storage/open-storage.ts'
import { FollowProcess } from '../scenarios/support/follow-process.ts'
import { createOracleDatabase } from '../support/oracle.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { Rig } from './support/rig.ts'

describe('two captures with one state folder', () => {
  it('are one: the other is refused, whatever the lease of its repository says', async () => {
    const rig = await Rig.make()
    const capture = await rig.follow()
    const other = await Repository.init(new MemoryStorage())
    const files = rig.files.as()
    await assert.rejects(
      followDatabase(rig.database, other, { stateFolder: '/state', clock: rig.clock, files }),
      (error) => hasCode(error, 'LEASE_HELD') && error.object === '/state' && /--state/.test(error.hint ?? ''),
    )
    await rig.freeLease()
    await assert.rejects(rig.follow(), (error) => hasCode(error, 'LEASE_HELD') && error.object === '/state')
    assert.equal(rig.database.followers, 1, 'the database was not even opened')
    await capture.stop()
    await using again = await rig.follow()
    assert.ok(again.status.lsn > 0)
  })

  it('are refused across processes too, and nothing stale is left by one that was killed', {
    timeout: 60_000,
  }, async () => {
    using folder = temporaryFolder()
    const start = async (database: string, repository: string) => {
      const follower = new FollowProcess(folder.file('compiled'))
      follower.follow({
        path: folder.file(database),
        repository: folder.file(repository),
        stateFolder: folder.file('state'),
      })
      await follower.started.catch(() => {})
      return follower
    }
    for (const name of ['one', 'two']) {
      createOracleDatabase(folder.file(`${name}.db`))
      await (await Repository.init(await openStorage(folder.file(name))))[Symbol.asyncDispose]()
    }
    await using first = await start('one.db', 'one')
    assert.equal(first.failure, undefined)
    await using second = await start('two.db', 'two')
    assert.equal(second.failure?.code, 'LEASE_HELD')
    assert.match(second.failure?.message ?? '', /state folder .*state/)
    await first.kill()
    await using third = await start('one.db', 'one')
    assert.equal(third.failure, undefined)
  })

  it('have an id that stays, and that a torn file does not end', async () => {
    const rig = await Rig.make()
    const files = rig.files.as()
    await files.makeFolder('/state')
    const id = await stateFolderId(files, '/state')
    assert.match(id, /^[0-9a-f-]{36}$/)
    assert.equal(await stateFolderId(files, '/state'), id)
    const torn = await files.create('/state/id')
    await torn.write(new Uint8Array([1, 2, 3]))
    await torn.close()
    const another = await stateFolderId(files, '/state')
    assert.notEqual(another, id)
    assert.equal(await stateFolderId(files, '/state'), another)
  })
})
