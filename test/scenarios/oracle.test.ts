/**
 * The main promise: whatever is written to a database meanwhile, every backup of it restores exactly one commit, byte for byte.
 * HOLDFAST_SOAK_SECONDS lets the writers run longer; HOLDFAST_SEED repeats a run's choices.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { restoreDatabase } from '../../src/restore/restore-database.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { assertSamePages } from '../support/compare-databases.ts'
import { checkOracle, type OracleOptions } from '../support/oracle.ts'
import { type Random, seededRandom, testSeed } from '../support/random.ts'
import { readState } from '../support/read-state.ts'
import { LiveHistory } from './support/live-history.ts'

const shapes: readonly OracleOptions[] = [
  { journalMode: 'wal', autoVacuum: 'incremental', pageSize: 4096 },
  { journalMode: 'wal', autoVacuum: 'full', pageSize: 512 },
  { journalMode: 'delete', autoVacuum: 'none', pageSize: 1024 },
]

const soakMs = (Number(process.env['HOLDFAST_SOAK_SECONDS'] ?? 21) * 1000) / shapes.length
const seed = testSeed()

for (const [index, shape] of shapes.entries()) {
  test(`every backup of a database under full load restores exactly its commit: ${JSON.stringify(shape)}`, async (t) => {
    t.diagnostic(`HOLDFAST_SEED=${seed}`)
    const random = seededRandom(seed + index)
    await using history = await LiveHistory.start(shape, random)
    const until = Date.now() + soakMs
    let paused = 0
    while (Date.now() < until || paused < 2) {
      if (random.chance(20)) paused += (await history.backUpPaused()) ? 1 : 0
      else await history.backUp()
      if (random.chance(15)) await history.replaceWriter()
    }
    const last = await history.stop()
    assert.equal(checkOracle(history.path), last, 'the live database is unharmed')

    const verified = await verifyRepository(history.repository)
    assert.deepEqual(verified.findings, [])
    t.diagnostic(`${history.backups.length} backups of ${last} commits`)
    await restoreAll(history, random)
  })
}

/** In random order: to a new file, over whatever stands there, and by changing only the pages that differ from another state. */
async function restoreAll(history: LiveHistory, random: Random): Promise<void> {
  const database = history.repository.database('app')
  const shuffled = history.backups.map((backup) => ({ backup, order: random.below(2 ** 31) }))
  shuffled.sort((a, b) => a.order - b.order)
  const targetPath = history.folder.file('restored.db')
  for (const [i, { backup }] of shuffled.entries()) {
    const { metadata, notBefore, notAfter, reference } = backup
    const delta = i > 0 && random.chance(50)
    const force = i > 0 && (!delta || random.chance(50))
    const about = `${metadata.type} backup ${metadata.id} of LSN ${metadata.lsn}`
    const { mode, warnings } = await restoreDatabase(database, {
      state: { by: 'backup', id: metadata.id },
      targetPath,
      force,
      delta,
    })
    assert.equal(mode, i === 0 ? 'create' : delta ? 'delta' : 'replace', about)
    assert.deepEqual(warnings, [], about)
    assert.ok(
      readFileSync(targetPath).equals(await readState(database, metadata.lsn)),
      `${about} differs from a replay`,
    )
    if (reference !== undefined) assertSamePages(targetPath, reference, metadata.source.pageSize)
    const seq = checkOracle(targetPath)
    assert.ok(
      notBefore <= seq && seq <= notAfter,
      `${about} holds commit ${seq}, not one of ${notBefore} to ${notAfter}`,
    )
  }
}
