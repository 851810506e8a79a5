import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { describe, it } from 'node:test'
import fc from 'fast-check'
import { runOutcomes } from '../../../src/agent/schedule/run-end.ts'
import type { ScheduleState } from '../../../src/agent/schedule/schedule-state.ts'
import { ScheduleStateFile } from '../../../src/agent/schedule/schedule-state-file.ts'
import { hasCode } from '../../../src/errors.ts'
import { Fuse } from '../../capture/support/fuse.ts'
import { MemoryFiles } from '../../capture/support/memory-files.ts'
import { seededRandom } from '../../support/random.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const refuse = (message: string): never => assert.fail(message)

const name = fc.oneof(fc.string(), fc.constantFrom('__proto__', 'constructor', 'a/b', ''))
const time = fc.integer({ min: 0, max: 4e12 })
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const record = fc.record(
  {
    trigger: fc.string(),
    doneUntil: time,
    lastDue: time,
    lastStarted: time,
    lastFinished: time,
    outcome: fc.constantFrom('unfinished' as const, 'asked' as const, ...runOutcomes),
    commits: fc.nat(),
    bytes: fc.nat(),
    unusedSince: time,
  },
  { requiredKeys: ['trigger', 'doneUntil', 'commits', 'bytes'] },
)
const mapOf = <T>(value: fc.Arbitrary<T>) =>
  fc.uniqueArray(fc.tuple(name, value), { maxLength: 5, selector: ([key]) => key }).map((entries) => new Map(entries))
const state: fc.Arbitrary<ScheduleState> = mapOf(
  fc.record({ commits: fc.nat(), bytes: fc.nat(), lastCommitAt: maybe(time), schedules: mapOf(record) }),
)

/** Without what is undefined, which a document cannot tell from what is not there. */
const plain = (value: unknown): unknown =>
  JSON.parse(JSON.stringify(value, (_key, inner) => (inner instanceof Map ? ['map', ...inner] : inner)))

describe("the schedules' state", () => {
  it('is read as it was written, whatever the names', async () => {
    await fc.assert(
      fc.asyncProperty(state, async (written) => {
        const file = new ScheduleStateFile('/state', new MemoryFiles().as())
        await file.write(written)
        assert.deepEqual(plain(await file.read(refuse)), plain(written))
      }),
      { numRuns: 200 },
    )
  })

  it('is for its owner alone, and readable', async () => {
    using folder = temporaryFolder()
    const file = new ScheduleStateFile(folder.file('state'))
    await file.write(new Map([['app', { commits: 1, bytes: 2, schedules: new Map() }]]))
    assert.equal(statSync(file.path).mode & 0o777, 0o600)
    assert.equal(statSync(folder.file('state')).mode & 0o777, 0o700)
    assert.match(readFileSync(file.path, 'utf8'), /^\{"holdfast":"schedules","version":1,"sha256":"[0-9a-f]{64}"\}\n/)
    assert.equal((await file.read(refuse)).get('app')?.commits, 1)
  })

  it('is empty where there is none', async () => {
    using folder = temporaryFolder()
    assert.equal((await new ScheduleStateFile(folder.file('nowhere')).read(refuse)).size, 0)
    assert.equal((await new ScheduleStateFile(folder.path).read(refuse)).size, 0)
  })

  it('is the old or the new one after a failure or a power loss at any step', async () => {
    const first: ScheduleState = new Map([['app', { commits: 1, bytes: 0, schedules: new Map() }]])
    const second: ScheduleState = new Map([['app', { commits: 2, bytes: 0, schedules: new Map() }]])
    let finished = false
    for (let step = 1; !finished; step += 1) {
      for (let seed = 1; seed <= 5; seed += 1) {
        const files = new MemoryFiles()
        await new ScheduleStateFile('/state', files.as()).write(first)
        const fuse = new Fuse(step)
        finished = await new ScheduleStateFile('/state', files.as(fuse)).write(second).then(
          () => true,
          () => false,
        )
        files.losePower(seededRandom(seed))
        const found = await new ScheduleStateFile('/state', files.as()).read(refuse)
        const commits = found.get('app')?.commits
        assert.ok(finished ? commits === 2 : commits === 1 || commits === 2, `step ${step}: ${commits}`)
      }
    }
  })

  it('begins anew, and says so, when the file is torn or garbage', async () => {
    using folder = temporaryFolder()
    const file = new ScheduleStateFile(folder.path)
    await file.write(new Map([['app', { commits: 1, bytes: 2, schedules: new Map() }]]))
    const whole = readFileSync(file.path)
    const newer = readFileSync(file.path, 'utf8').replace('"version":1', '"version":99')
    for (const content of [
      '',
      'garbage',
      '{}',
      '\0'.repeat(4096),
      newer,
      whole.subarray(0, -5),
      whole.subarray(0, 40),
    ]) {
      writeFileSync(file.path, content)
      const said: string[] = []
      assert.equal((await file.read((message) => said.push(message))).size, 0)
      assert.match(said.join(), /^When schedules ran last cannot be told, so they begin anew\. .*schedules\.json/)
    }
  })

  it('is not taken for missing when it cannot be read', async () => {
    using folder = temporaryFolder()
    const file = new ScheduleStateFile(folder.path)
    mkdirSync(file.path)
    await assert.rejects(file.read(refuse), (error) => hasCode(error, 'INTERNAL', 'ACCESS_DENIED'))
    await assert.rejects(file.write(new Map()), (error) => hasCode(error, 'INTERNAL', 'ACCESS_DENIED'))
  })

  it('that does not fit on the disk leaves the old one', async () => {
    const files = new MemoryFiles()
    const file = new ScheduleStateFile('/state', files.as())
    await file.write(new Map([['app', { commits: 1, bytes: 2, schedules: new Map() }]]))
    files.capacity = 300
    await assert.rejects(file.write(new Map()), (error) => hasCode(error, 'DISK_FULL'))
    assert.equal((await file.read(refuse)).size, 1)
  })
})
