import assert from 'node:assert/strict'
import { getEventListeners } from 'node:events'
import { createServer } from 'node:http'
import { text } from 'node:stream/consumers'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { AgentLog } from '../../../src/agent/agent-log.ts'
import type { HookConfig } from '../../../src/agent/config/config.ts'
import type { Operation, OperationStart } from '../../../src/agent/journal/operation.ts'
import { Metrics } from '../../../src/agent/metrics/metrics.ts'
import { Heartbeat } from '../../../src/agent/notify/heartbeat.ts'
import { messageText } from '../../../src/agent/notify/message.ts'
import { Notifier } from '../../../src/agent/notify/notifier.ts'
import { Operations } from '../../../src/agent/operations/operations.ts'
import { HoldfastError, hasCode } from '../../../src/errors.ts'
import { aborted } from '../../../src/util/abort.ts'
import { journalPlace } from '../journal/support/journals.ts'

const start: OperationStart = {
  kind: 'backup',
  database: 'app',
  repository: 'memory:',
  type: 'full',
  trigger: 'schedule',
  schedule: 'nightly',
}

function hook(moment: 'before' | 'after', command: string, more: Partial<HookConfig> = {}): HookConfig {
  return {
    moment,
    operations: ['backup'],
    command,
    timeoutMs: 10_000,
    when: 'always',
    onFailure: moment === 'before' ? 'fail' : 'warn',
    ...more,
  }
}

async function scene(heartbeats: readonly Heartbeat[] = []) {
  const { folder, open } = journalPlace()
  const journal = open()
  const notifier = await Notifier.open({ folder: folder.file('agent'), channels: [] })
  const lines: string[] = []
  const log = new AgentLog({ level: 'debug', format: 'text' }, (line) => void lines.push(line), Date.now)
  const ended: Operation[] = []
  const operations = new Operations({
    journal,
    metrics: new Metrics(),
    notifier,
    heartbeats: () => heartbeats,
    log,
    now: Date.now,
    onEnded: (operation) => void ended.push(operation),
    hasGone: async (name) => name === 'deleted',
  })
  return {
    operations,
    log,
    lines,
    ended,
    outcomes: async () => (await journal.operations()).map(({ outcome, code }) => `${outcome} ${code ?? ''}`.trim()),
    recorded: async () => (await journal.operations()).map(({ message, warnings }) => [message, warnings]),
    firing: () => notifier.firing,
    keys: () => notifier.firing.map(({ key }) => key),
    async [Symbol.asyncDispose]() {
      await notifier[Symbol.asyncDispose]()
      folder[Symbol.dispose]()
    },
  }
}

const never = (): never => assert.fail('The work was done.')

describe('an operation of the agent', () => {
  it('is recorded, told of, and over', async () => {
    await using all = await scene()
    const { operations, ended, outcomes } = all
    const controller = new AbortController()
    const { signal } = controller
    let running = 0
    for (let time = 0; time < 3; time += 1)
      await operations.run(start, { hooks: [], signal }, async () => {
        running = operations.running.length
        return { backupId: `b${time}` }
      })
    assert.equal(running, 1)
    assert.equal(operations.running.length, 0)
    assert.deepEqual(
      ended.map(({ outcome, backupId }) => [outcome, backupId]),
      [0, 1, 2].map((time) => ['succeeded', `b${time}`]),
    )
    assert.deepEqual(await outcomes(), ['succeeded', 'succeeded', 'succeeded'])
    assert.equal(
      getEventListeners(signal, 'abort').length,
      0,
      'nothing stays at a signal that lives as long as the agent',
    )
  })

  it('runs from its first hook to its last, and tells why it waits meanwhile', async () => {
    await using all = await scene()
    const { operations, lines } = all
    const { signal } = new AbortController()
    const [begun, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    const hooks = [hook('before', 'exit 0')]
    const waits = () => operations.running.map(({ waiting, kind, database }) => [kind, database, waiting])
    const run = operations.run(start, { hooks, signal }, async (_abort, onWait) => {
      onWait('Another works on it.')
      begun.resolve()
      await held.promise
      onWait(undefined)
      assert.deepEqual(waits(), [['backup', 'app', undefined]])
      return {}
    })
    assert.deepEqual(waits(), [['backup', 'app', undefined]], 'its hook runs')
    await begun.promise
    assert.deepEqual(waits(), [['backup', 'app', 'Another works on it.']])
    held.resolve()
    await run
    assert.deepEqual(waits(), [])
    assert.match(lines.join('\n'), / info +backup \(full\) of app: waits\. Another works on it\./)
  })

  it('that fails because its database was deleted is no failure to tell of', async () => {
    await using all = await scene()
    const { operations, ended, keys } = all
    const { signal } = new AbortController()
    const fail = async (database: string) => {
      const work = () => Promise.reject(new HoldfastError('DATABASE_NOT_FOUND', 'There is no file.'))
      await assert.rejects(operations.run({ ...start, database }, { hooks: [], signal }, work))
    }
    await fail('deleted')
    assert.deepEqual(keys(), [])
    assert.deepEqual(
      ended.map(({ outcome, message }) => [outcome, message]),
      [['interrupted', 'deleted is not looked after any more. There is no file.']],
    )
    await fail('app')
    assert.equal(keys().length, 1)
  })

  it('is told to the heartbeats that it concerns: that it began and how it ended, of a failure with the log since then', async () => {
    const requests: { readonly path: string; readonly body: string }[] = []
    const server = createServer(async (request, response) => {
      requests.push({ path: request.url ?? '', body: await text(request) })
      response.end('OK')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    const url = (check: string) => `http://127.0.0.1:${address.port}/${check}`
    await using mine = new Heartbeat({ name: 'mine', url: url('mine') })
    await using others = new Heartbeat({ name: 'others', url: url('others'), database: 'other' })
    try {
      await using all = await scene([mine, others])
      const { operations, log } = all
      const { signal } = new AbortController()
      log.info('Said before.')
      await sleep(2)
      await operations.run(start, { hooks: [], signal }, async () => ({}))
      const failing = operations.run(start, { hooks: [], signal }, async () => {
        log.warn('The disk answers slowly.')
        throw new HoldfastError('DISK_FULL', 'No room.')
      })
      await assert.rejects(failing, (error) => hasCode(error, 'DISK_FULL'))
      await Promise.all([mine.idle(), others.idle()])
      assert.deepEqual(
        requests.map(({ path }) => path.replace(/[?].*/, '')),
        ['/mine/start', '/mine', '/mine/start', '/mine/fail'],
      )
      const { body = '' } = requests.at(-1) ?? {}
      assert.match(body, /The disk answers slowly\.[\s\S]*failed\. No room\./)
      assert.doesNotMatch(body, /Said before/)
    } finally {
      server.close()
    }
  })

  it('is not done when a hook before it asks to skip it: no failure, and no entry', async () => {
    await using all = await scene()
    const { operations, outcomes, lines, keys } = all
    const { signal } = new AbortController()
    assert.equal(await operations.run(start, { hooks: [hook('before', 'exit 75')], signal }, never), undefined)
    assert.deepEqual(await outcomes(), [])
    assert.deepEqual(keys(), [])
    assert.match(lines.join('\n'), /skip/)
  })

  it('fails without being done when a hook before it fails, unless that is to be a warning', async () => {
    await using all = await scene()
    const { operations, outcomes, keys, lines } = all
    const { signal } = new AbortController()
    await assert.rejects(operations.run(start, { hooks: [hook('before', 'exit 1')], signal }, never), (error) =>
      hasCode(error, 'HOOK_FAILED'),
    )
    assert.deepEqual(await outcomes(), ['failed HOOK_FAILED'])
    assert.deepEqual(keys(), ['failure/backup/app/full'])
    const warned = [hook('before', 'exit 1', { onFailure: 'warn' })]
    const end = await operations.run(start, { hooks: warned, signal }, async () => ({}))
    assert.equal(end?.outcome, 'succeeded')
    assert.match(lines.join('\n'), /warn /)
    assert.deepEqual(keys(), [])
  })

  it('ends with a warning when a hook after it fails, which undoes nothing', async () => {
    await using all = await scene()
    const { operations, outcomes, keys } = all
    const { signal } = new AbortController()
    const end = await operations.run(start, { hooks: [hook('after', 'exit 3')], signal }, async () => ({}))
    assert.equal(end?.outcome, 'warning')
    assert.deepEqual(await outcomes(), ['warning'])
    assert.deepEqual(keys(), [])
  })

  it('that failed is a failure for every hook after it, and for whoever asked', async () => {
    await using all = await scene()
    const { operations, ended, keys } = all
    const { signal } = new AbortController()
    const hooks = [
      hook('after', 'exit 1', { when: 'success' }),
      hook('after', 'test "$HOLDFAST_ERROR_CODE" = DISK_FULL', { when: 'failure' }),
    ]
    const full = new HoldfastError('DISK_FULL', 'No space left.')
    await assert.rejects(
      operations.run(start, { hooks, signal }, () => Promise.reject(full)),
      full,
    )
    assert.equal(ended[0]?.outcome, 'failed')
    assert.equal(ended[0]?.message, 'No space left.', 'no hook had to complain')
    assert.deepEqual(keys(), ['failure/backup/app/full'])
    assert.equal(operations.running.length, 0)
  })

  it('that failed says so apart from what a hook after it says: nobody takes that for the cause', async () => {
    await using all = await scene()
    const { operations, ended, firing, recorded, lines } = all
    const { signal } = new AbortController()
    const hooks = [hook('after', 'echo The pager is broken.; exit 3', { operations: ['backup', 'drill'] })]
    const said = (kind: string) => `The hook after the ${kind} ended with 3. It said: The pager is broken.`
    const full = new HoldfastError('DISK_FULL', 'No space left.')
    await assert.rejects(operations.run(start, { hooks, signal }, () => Promise.reject(full)))
    const drilled = await operations.run({ ...start, kind: 'drill', type: undefined }, { hooks, signal }, async () => {
      return { outcome: 'failed', message: 'It held nobody.', warnings: ['The clock is wrong.'] }
    })
    assert.equal(drilled?.message, 'It held nobody.')
    const told = ended.map(({ message, warnings }) => [message, warnings])
    assert.deepEqual(told, [
      ['No space left.', [said('backup')]],
      ['It held nobody.', ['The clock is wrong.', said('drill')]],
    ])
    assert.deepEqual(await recorded(), told)
    const alerts = firing().map(({ summary, details }) => [summary, details['warnings']])
    assert.deepEqual(alerts, [
      ['The full backup of app failed: No space left.', said('backup')],
      ['The restore drill of app failed: It held nobody.', `The clock is wrong. ${said('drill')}`],
    ])
    const [alert = assert.fail()] = firing()
    const text = messageText({ type: 'alert', alert }, { host: 'h' }).split('\n')
    assert.deepEqual(text.slice(0, 2), [
      'Critical: The full backup of app failed: No space left.',
      `Besides: ${said('backup')}`,
    ])
    assert.equal(lines.filter((line) => line.includes('The pager is broken.')).length, 2)
    assert.ok(!lines.some((line) => /failed\. .*pager/.test(line)))
  })

  it('that is called off is interrupted: nobody is alarmed, and the hook after it runs all the same', async () => {
    await using all = await scene()
    const { operations, outcomes, keys, ended } = all
    const controller = new AbortController()
    const { signal } = controller
    const run = operations.run(start, { hooks: [hook('after', 'exit 4')], signal }, async (abort) => {
      controller.abort()
      throw aborted(abort)
    })
    await assert.rejects(run, (error) => hasCode(error, 'ABORTED'))
    assert.deepEqual(await outcomes(), ['interrupted ABORTED'])
    assert.match(ended[0]?.warnings?.join() ?? '', /ended with 4/)
    assert.deepEqual(keys(), [])
  })
})
