import assert from 'node:assert/strict'
import { it } from 'node:test'
import { noLogPosition } from '../../src/capture/no-log-position.ts'
import { PositionFile } from '../../src/capture/position-file.ts'
import { localFiles } from '../../src/capture/spool/local-files.ts'
import { toLsn } from '../../src/history/lsn.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

it('the position is written by whoever uploads and whoever looks at the same moment: the last one stays', async () => {
  using folder = temporaryFolder()
  const file = new PositionFile(localFiles, folder.path)
  const position = noLogPosition(4096, 1)
  const writing = Array.from({ length: 20 }, (_, index) =>
    file.write({ lsn: toLsn(index + 1), position, clean: false }),
  )
  await Promise.all(writing)
  const saved = await file.read((message) => assert.fail(message))
  assert.equal(saved?.lsn, 20)
})
