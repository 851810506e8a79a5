/** What is left of the scratch folders of others: that of a process that is known to be gone, and of one of which nothing is known. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, utimesSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { describe, it } from 'node:test'
import { temporaryName } from '../../src/source/sqlite/target/temporary-name.ts'
import { currentProcess, type ProcessIdentity, processState } from '../../src/util/process-identity.ts'
import { ScratchFolder } from '../../src/verify/scratch-folder.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

const days = 24 * 3_600_000
const now = Date.UTC(2026, 5, 1)

/** Another container, and another machine. */
const strangers: Readonly<Record<string, ProcessIdentity>> = {
  'a machine that started anew': {
    ...currentProcess(),
    bootId: '3d4a6f60-0000-4000-8000-123456789abc/pid:[4026532999]/',
  },
  'another host': { ...currentProcess(), host: 'elsewhere' },
}

function leave(parent: string, owner: ProcessIdentity, { folderAt, fileAt }: { folderAt: number; fileAt: number }) {
  const path = join(parent, `holdfast-scratch${temporaryName('', owner, '00ff00ff00ff00ff')}`)
  mkdirSync(join(path, 'below'), { recursive: true })
  const touch = (name: string, at: number) => utimesSync(join(path, name), at / 1000, at / 1000)
  writeFileSync(join(path, 'below/restored.db'), 'a database')
  touch('below/restored.db', fileAt)
  touch('below', folderAt)
  touch('.', folderAt)
  return path
}

describe('a scratch folder that was left behind', () => {
  for (const [whose, owner] of Object.entries(strangers)) {
    it(`by a process of ${whose} is removed once nobody has touched it for a week`, async () => {
      assert.equal(processState(owner), 'unknown')
      using parent = temporaryFolder()
      const long = now - 8 * days
      const path = leave(parent.path, owner, { folderAt: long, fileAt: now - 6 * days })
      const meanwhile = async (at: number) => {
        await using made = await ScratchFolder.make(parent.path, at)
        assert.ok(basename(made.path) !== basename(path))
        return existsSync(path)
      }
      assert.equal(await meanwhile(now), true, 'what is in it is younger')
      assert.equal(await meanwhile(now + 0.9 * days), true)
      assert.equal(await meanwhile(now + 1.1 * days), false)
    })
  }

  it('by a process that runs here is left alone, however old it is', async () => {
    using parent = temporaryFolder()
    const old = now - 400 * days
    const path = leave(parent.path, currentProcess(), { folderAt: old, fileAt: old })
    await using _made = await ScratchFolder.make(parent.path, now)
    assert.ok(existsSync(path))
  })

  it('is told from a file of such a name', async () => {
    using parent = temporaryFolder()
    const [owner = assert.fail()] = Object.values(strangers)
    const path = join(parent.path, `holdfast-scratch${temporaryName('', owner, '00ff00ff00ff00ff')}`)
    writeFileSync(path, '')
    await using _made = await ScratchFolder.make(parent.path, now + 1e12)
    assert.ok(existsSync(path))
  })
})
