import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { initRepository } from '../../../src/backup/init-repository.ts'
import { mirrorRepository } from '../../../src/maintenance/mirror/mirror-repository.ts'
import { mirrorTo } from '../../../src/maintenance/mirror/mirror-to.ts'
import { Repository } from '../../../src/repository/repository.ts'
import { LocalStorage } from '../../../src/storage/local.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

async function scene() {
  const folder = temporaryFolder()
  const at = (name: string): string => join(folder.path, name)
  mkdirSync(at('disk'))
  await initRepository(at('disk/backups'))
  const source = await Repository.open(new LocalStorage(at('disk/backups')))
  const mirror = async (to: string, dryRun = false) => await mirrorTo(source, new LocalStorage(at(to)), { dryRun })
  return { at, mirror, [Symbol.dispose]: () => folder[Symbol.dispose]() }
}

describe('a mirror', () => {
  for (const [how, to] of [
    ['in the folder of the repository', 'disk/backups/mirror'],
    ['deep in it', 'disk/backups/databases/app/mirror'],
    ['around it', 'disk'],
    ['in it by way of a link', 'link/mirror'],
    ['in it by way of a link to where it is to be', 'into'],
    ['around it by way of a link', 'around'],
  ] as const)
    it(`${how} is refused, and nothing is written`, async () => {
      using place = await scene()
      const { at, mirror } = place
      symlinkSync(at('disk/backups'), at('link'))
      mkdirSync(at('disk/backups/mirrors'))
      symlinkSync(at('disk/backups/mirrors'), at('into'))
      symlinkSync(at('disk'), at('around'))
      const before = readdirSync(at('disk'), { recursive: true })
      for (const dryRun of [true, false])
        await assert.rejects(mirror(to, dryRun), { code: 'USAGE', message: /folder/, hint: /another disk/ })
      assert.deepEqual(readdirSync(at('disk'), { recursive: true }), before)
      const running = mirrorRepository({ repository: at('disk/backups'), to: at(to) })
      await assert.rejects(running, { code: 'USAGE' })
    })

  it('beside it is made, also if its name begins alike, and where a link leads elsewhere', async () => {
    using place = await scene()
    const { at, mirror } = place
    mkdirSync(at('nas'))
    symlinkSync(at('nas'), at('disk/backups/away'))
    for (const to of ['disk/backups-2', 'disk/back', 'not/made/yet', 'disk/backups/away/mirror']) {
      assert.ok((await mirror(to)).complete, to)
      assert.ok(existsSync(join(at(to), 'holdfast.json')))
    }
  })

  it('below a file is refused as that', async () => {
    using place = await scene()
    const { at, mirror } = place
    writeFileSync(at('file'), '')
    await assert.rejects(mirror('file/mirror'), { message: /is a file/ })
  })

  it('in the very place of the repository is refused as that', async () => {
    using place = await scene()
    const { at, mirror } = place
    symlinkSync(at('disk/backups'), at('link'))
    for (const to of ['disk/backups', 'link']) await assert.rejects(mirror(to), { code: 'MIRROR' }, to)
  })
})
