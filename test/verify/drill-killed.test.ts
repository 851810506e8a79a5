/** A drill whose process is killed: nothing of it runs on, and nothing is left behind after the next one. */
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { readDrills } from '../../src/repository/drill-record.ts'
import { Repository } from '../../src/repository/repository.ts'
import { openStorage } from '../../src/storage/open-storage.ts'
import { currentProcess, processState } from '../../src/util/process-identity.ts'
import { drillDatabase } from '../../src/verify/drill/drill-database.ts'
import { verifyRepository } from '../../src/verify/verify-repository.ts'
import { SampleDatabase } from '../scenarios/support/sample-database.ts'
import { temporaryFolder } from '../support/temporary-folder.ts'

async function startDrill(repository: string, scratch: string): Promise<ChildProcess> {
  const child = fork(new URL('./support/drill-child.ts', import.meta.url), [repository, scratch])
  const [message] = await Promise.race([once(child, 'message'), once(child, 'exit')])
  assert.equal(message, 'asserting')
  return child
}

async function killed(child: ChildProcess): Promise<void> {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}

describe('a drill that is killed', () => {
  for (const next of ['drill', 'verification'] as const) {
    it(`leaves its scratch folder to the next ${next}, which removes it`, async () => {
      using folder = temporaryFolder()
      using scratch = temporaryFolder()
      await using repository = await Repository.init(await openStorage(folder.file('repository')))
      await new SampleDatabase(folder.path).backup(repository, { type: 'full' })
      const other = await startDrill(folder.file('repository'), scratch.path)
      await killed(await startDrill(folder.file('repository'), scratch.path))
      assert.equal(readdirSync(scratch.path).length, 2)
      if (next === 'drill') {
        const { verdict } = await drillDatabase(repository, 'app', { scratchFolder: scratch.path })
        assert.equal(verdict, 'passed')
        assert.deepEqual(
          (await readDrills(repository.database('app'))).map((drill) => drill.verdict),
          ['passed'],
        )
      } else {
        const { ok } = await verifyRepository(repository, { level: 'restore', scratchFolder: scratch.path })
        assert.equal(ok, true)
      }
      assert.equal(readdirSync(scratch.path).length, 1, 'that of a drill that runs is left alone')
      await killed(other)
    })
  }

  it('takes the query that was running with it', {
    skip: existsSync('/proc/self/stat') ? false : 'no /proc',
  }, async () => {
    using folder = temporaryFolder()
    using scratch = temporaryFolder()
    await using repository = await Repository.init(await openStorage(folder.file('repository')))
    await new SampleDatabase(folder.path).backup(repository, { type: 'full' })
    const child = await startDrill(folder.file('repository'), scratch.path)
    const parent = child.pid ?? assert.fail()
    const [query] = await until(
      () => childrenOf(parent),
      (found) => found.length === 1,
    )
    await killed(child)
    await until(
      () => (isRunning(query ?? 0) ? [1] : []),
      (running) => running.length === 0,
    )
  })
})

/** Waits as long as it takes; the test's own time limit ends it. */
async function until<T>(read: () => T[], isReached: (found: T[]) => boolean): Promise<T[]> {
  for (;;) {
    const found = read()
    if (isReached(found)) return found
    await sleep(20)
  }
}

function childrenOf(parent: number): number[] {
  const listed = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim()
  return listed === '' ? [] : listed.split(' ').map(Number)
}

function isRunning(pid: number): boolean {
  return processState({ ...currentProcess(), pid, startedAt: '' }) === 'alive'
}
