import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { homedir } from 'node:os'
import { describe, it } from 'node:test'
import { localFiles } from '../../src/capture/spool/local-files.ts'
import { defaultStateFolder } from '../../src/capture/state-folder.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

describe('the state folder of a capture', () => {
  it('lies where the system keeps the state of programs, one for each repository and database', () => {
    const at = (environment: NodeJS.ProcessEnv, platform: NodeJS.Platform = 'linux') =>
      defaultStateFolder('some-id', 'app', environment, platform)
    assert.equal(at({ XDG_STATE_HOME: '/var/state' }), '/var/state/holdfast/some-id/app')
    assert.equal(at({}), `${homedir()}/.local/state/holdfast/some-id/app`)
    assert.equal(at({ XDG_STATE_HOME: 'relative' }), `${homedir()}/.local/state/holdfast/some-id/app`)
    assert.equal(at({}, 'darwin'), `${homedir()}/Library/Application Support/holdfast/some-id/app`)
  })

  it('and its files are for their owner only', async () => {
    using folder = temporaryFolder()
    await localFiles.makeFolder(folder.file('a/b'))
    const file = await localFiles.create(folder.file('a/b/c'))
    await file.write(new Uint8Array(3))
    await file.close()
    assert.equal(statSync(folder.file('a')).mode & 0o777, 0o700)
    assert.equal(statSync(folder.file('a/b/c')).mode & 0o777, 0o600)
    await localFiles.syncFolder(folder.file('a/b'))
    assert.deepEqual(await localFiles.list(folder.file('a/b')), ['c'])
  })
})
