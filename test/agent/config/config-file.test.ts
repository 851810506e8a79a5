import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { it } from 'node:test'
import { loadConfig } from '../../../src/agent/config/load-config.ts'
import { loadRepositoryLocation } from '../../../src/agent/config/load-repository-location.ts'
import { loadStateFolder } from '../../../src/agent/config/load-state-folder.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

it('a configuration is a file, also behind a link; a pipe is refused at once, a folder and nothing too', async () => {
  using folder = temporaryFolder()
  const [file, link, pipe] = ['file', 'link', 'pipe'].map((name) => folder.file(name))
  assert.ok(file !== undefined && link !== undefined && pipe !== undefined)
  writeFileSync(file, 'stateFolder: state\ndatabases: [{ path: app.db }]\n')
  symlinkSync(file, link)
  execFileSync('mkfifo', [pipe])
  mkdirSync(folder.file('folder'))
  assert.equal((await loadConfig(link)).problems, undefined)
  assert.equal(await loadStateFolder(link), folder.file('state'))
  const messageOf = async (path: string) => (await loadConfig(path)).problems?.map(({ message }) => message)
  assert.deepEqual(await messageOf(pipe), [`${pipe} cannot be read. It is a pipe or a device, not a file.`])
  assert.deepEqual(await messageOf('/dev/null'), ['/dev/null cannot be read. It is a pipe or a device, not a file.'])
  assert.deepEqual(await messageOf(folder.file('folder')), [`${folder.file('folder')} is a folder, not a file.`])
  assert.deepEqual(await messageOf(folder.file('none')), [`There is no file ${folder.file('none')}.`])
  assert.match((await loadRepositoryLocation(pipe)).problems?.[0]?.message ?? '', /a pipe or a device/)
  assert.equal(await loadStateFolder(pipe), undefined)
})

it('a mistyped "repository" is a problem for every command, rather than the default place; other mistakes are not', async () => {
  using folder = temporaryFolder()
  const location = async (text: string) => {
    const path = folder.file('holdfast.yaml')
    writeFileSync(path, text)
    return await loadRepositoryLocation(path)
  }
  const [problem, ...more] = (await location('repositry: /srv/backups\n')).problems ?? []
  assert.deepEqual([problem?.message, problem?.line], ['Unknown key "repositry". Did you mean "repository"?', 1])
  assert.deepEqual(more, [])
  const others = await location('repository: /srv/backups\nrepositry: x\ndatabses: []\n')
  assert.deepEqual([others.problems, others.value], [undefined, '/srv/backups'])
  assert.equal((await location('databses: []\n')).value, folder.file('backups'))
})
