import assert from 'node:assert/strict'
import { lstatSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { it } from 'node:test'
import { replaceFile } from '../../src/cli/schedule/replace-file.ts'
import { hasCode } from '../../src/errors.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

it('a file is replaced as a whole: its mode stays, and a link to it too', async () => {
  using folder = temporaryFolder()
  const [path, link] = [folder.file('holdfast.yaml'), folder.file('link.yaml')]
  writeFileSync(path, 'old', { mode: 0o604 })
  symlinkSync(path, link)
  await replaceFile(link, 'old', 'new')
  assert.equal(readFileSync(path, 'utf8'), 'new')
  assert.equal(statSync(path).mode & 0o777, 0o604)
  assert.ok(lstatSync(link).isSymbolicLink())
  assert.deepEqual(readdirSync(folder.path), ['holdfast.yaml', 'link.yaml'])
})

it('what somebody else wrote meanwhile is not overwritten', async () => {
  using folder = temporaryFolder()
  const path = folder.file('holdfast.yaml')
  writeFileSync(path, 'theirs')
  await assert.rejects(replaceFile(path, 'old', 'new'), (error) => hasCode(error, 'USAGE'))
  assert.equal(readFileSync(path, 'utf8'), 'theirs')
  assert.deepEqual(readdirSync(folder.path), ['holdfast.yaml'])
})
