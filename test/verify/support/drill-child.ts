/** A drill in a process that somebody kills: `drill-child.ts REPOSITORY SCRATCH`. It says when it has come to an assertion that never ends. */
import { Repository } from '../../../src/repository/repository.ts'
import { openStorage } from '../../../src/storage/open-storage.ts'
import { drillDatabase } from '../../../src/verify/drill/drill-database.ts'

const [, , location = '', scratchFolder = ''] = process.argv
const sql = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n'
await drillDatabase(await Repository.open(await openStorage(location)), 'app', {
  scratchFolder,
  assertions: [{ sql }],
  timeLimitMs: 600_000,
  onProgress: ({ phase }) => {
    if (phase === 'assert') process.send?.('asserting')
  },
})
