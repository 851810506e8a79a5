import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { promisify } from 'node:util'
import { z } from 'zod'
import type { HookConfig } from '../../../src/agent/config/config.ts'
import type { Hook, HookContext } from '../../../src/agent/hooks/hook.ts'
import { type HookResult, runHook } from '../../../src/agent/hooks/run-hook.ts'
import { runHooks } from '../../../src/agent/hooks/run-hooks.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'
import { processEnd } from '../support/process-end.ts'

const before: HookContext = {
  moment: 'before',
  operation: 'backup',
  type: 'full',
  database: 'app',
  path: '/srv/data/app.db',
  repository: 'file:///srv/backups',
  trigger: 'schedule',
  schedule: 'daily',
}
const after: HookContext = {
  ...before,
  moment: 'after',
  end: { outcome: 'failed', code: 'DISK_FULL', message: 'No space left.', durationMs: 1234.5 },
}

function failureOf(result: HookResult) {
  if (result.verdict !== 'failed') assert.fail(`It is ${result.verdict}.`)
  return result.error
}

describe('a hook', () => {
  test('is told in its environment what is done, and how it ended', async () => {
    using folder = temporaryFolder()
    const out = folder.file('out')
    const told = async (context: HookContext) => {
      await runHook({ command: `env | grep -E '^HOLDFAST_' | sort > '${out}'` }, context)
      const lines = (await readFile(out, 'utf8')).trim().split('\n')
      return lines.filter((line) => !/^HOLDFAST_(NODE|SEED|REQUIRE_PARTS)=/.test(line))
    }
    const common = [
      'HOLDFAST_DATABASE=app',
      'HOLDFAST_OPERATION=backup',
      'HOLDFAST_PATH=/srv/data/app.db',
      'HOLDFAST_REPOSITORY=file:///srv/backups',
      'HOLDFAST_SCHEDULE=daily',
      'HOLDFAST_TRIGGER=schedule',
      'HOLDFAST_TYPE=full',
    ]
    assert.deepEqual(
      await told(before),
      [
        ...common,
        'HOLDFAST_BACKUP_ID=',
        'HOLDFAST_DURATION_MS=',
        'HOLDFAST_ERROR_CODE=',
        'HOLDFAST_ERROR_MESSAGE=',
        'HOLDFAST_HOOK=before',
        'HOLDFAST_OUTCOME=',
      ].sort(),
    )
    assert.deepEqual(
      await told(after),
      [
        ...common,
        'HOLDFAST_BACKUP_ID=',
        'HOLDFAST_DURATION_MS=1235',
        'HOLDFAST_ERROR_CODE=DISK_FULL',
        'HOLDFAST_ERROR_MESSAGE=No space left.',
        'HOLDFAST_HOOK=after',
        'HOLDFAST_OUTCOME=failed',
      ].sort(),
    )
  })

  test('that ends well lets the operation go on', async () => {
    const result = await runHook({ command: 'echo fine' }, before)
    assert.deepEqual([result.verdict, result.output], ['go-on', 'fine'])
  })

  test('before an operation skips it with status 75, which is no failure', async () => {
    const result = await runHook({ command: 'echo the battery is low; exit 75' }, before)
    assert.equal(result.verdict, 'skip')
    assert.equal(
      result.verdict === 'skip' && result.reason,
      'The hook before the backup asked to skip it. It said: the battery is low',
    )
    assert.equal((await runHook({ command: 'exit 75' }, after)).verdict, 'failed')
  })

  test('that ends otherwise has failed, and says why', async () => {
    const error = failureOf(await runHook({ command: 'echo one; echo two >&2; exit 3' }, before))
    assert.deepEqual(
      [error.code, error.message],
      ['HOOK_FAILED', 'The hook before the backup ended with 3. It said: two'],
    )
    assert.equal(
      failureOf(await runHook({ command: 'kill -SEGV $$' }, after)).message,
      'The hook after the backup ended with SIGSEGV.',
    )
    assert.match(
      failureOf(await runHook({ command: ['/no/such/program'] }, before)).message,
      /cannot be started: .*ENOENT/,
    )
  })

  test('that takes too long is told to stop, then killed, with all that it started', async () => {
    using folder = temporaryFolder()
    const pids = folder.file('pids')
    // The child that does not listen outlives its parent, which does.
    const command = `(trap '' TERM; while :; do sleep 1; done) & echo $! > '${pids}'; echo $$ >> '${pids}'; trap 'echo stopping; exit 0' TERM; wait`
    const error = failureOf(await runHook({ command, timeoutMs: 300 }, before))
    assert.equal(error.message, 'The hook before the backup ran longer than 0.3 s. It said: stopping')
    const started = (await readFile(pids, 'utf8')).trim().split('\n')
    assert.equal(started.length, 2)
    for (const pid of started) await processEnd(pid)
  })

  test('leaves nothing running', async () => {
    using folder = temporaryFolder()
    const pid = folder.file('pid')
    assert.equal((await runHook({ command: `sleep 600 & echo $! > '${pid}'` }, before)).verdict, 'go-on')
    await processEnd(await readFile(pid, 'utf8'))
  })

  test('may print as much as it likes: the end is kept', async () => {
    const command = 'i=0; while [ $i -lt 20000 ]; do echo "line $i"; i=$((i+1)); done'
    const { output } = await runHook({ command }, before)
    assert.ok(output.length <= 16 * 1024)
    assert.match(output, /line 19999$/)
  })

  test('is ended when the agent stops', async () => {
    const stop = new AbortController()
    const running = runHook({ command: 'exec sleep 600' }, before, { signal: stop.signal })
    stop.abort()
    await assert.rejects(running, { code: 'ABORTED' })
    await assert.rejects(runHook({ command: 'true' }, before, { signal: stop.signal }), { code: 'ABORTED' })
  })
})

const told = z.object({ verdict: z.string(), told: z.string().optional(), output: z.string().regex(/^[1-9]\d*$/) })

/** By a user who may not end it. What it prints is the pid of what is left, which is ended. */
async function runAsNobody(hook: Hook, context: HookContext) {
  const program = join(import.meta.dirname, 'support/hook-as-nobody.ts')
  const { stdout } = await promisify(execFile)(
    process.execPath,
    [program, JSON.stringify(hook), JSON.stringify(context)],
    { timeout: 60_000 },
  )
  const result = told.parse(JSON.parse(stdout))
  process.kill(Number(result.output), 'SIGKILL')
  return result
}

const needsRoot = process.getuid?.() === 0 ? false : 'Only root can be two users.'

describe('a hook that becomes another user', { skip: needsRoot }, () => {
  const leaving = 'sleep 600 & echo $!'

  test('and outlives its time has failed, and the agent goes on', async () => {
    const result = await runAsNobody({ command: 'echo $$; exec sleep 600', timeoutMs: 1000 }, before)
    assert.equal(result.verdict, 'failed')
    assert.match(
      result.told ?? '',
      /^The hook before the backup ran longer than 1 s, and could not be ended, since it runs as another user\. It said: \d+$/,
    )
  })

  test('and leaves something behind is a warning, or says so beside what it asks for', async () => {
    const left = 'and what it left running could not be ended, since it runs as another user'
    const well = await runAsNobody({ command: leaving, place: 'hooks[0]' }, after)
    assert.deepEqual([well.verdict, well.told], ['go-on', `The hook after the backup (hooks[0]) ended well, ${left}.`])
    const skipping = await runAsNobody({ command: `${leaving}; exit 75` }, before)
    assert.ok(skipping.told?.startsWith(`The hook before the backup asked to skip it, ${left}. It said: `))
    const failing = await runAsNobody({ command: `${leaving}; exit 1` }, after)
    assert.ok(failing.told?.startsWith(`The hook after the backup ended with 1, ${left}. It said: `))
  })
})

describe('hooks', () => {
  const hook = (command: Hook['command'], more: Partial<HookConfig> = {}): HookConfig => ({
    command,
    moment: 'before',
    operations: ['backup'],
    timeoutMs: 10_000,
    when: 'always',
    onFailure: 'fail',
    ...more,
  })

  test('run in order, those that concern the operation, up to the first that says no', async () => {
    using folder = temporaryFolder()
    const out = folder.file('out')
    const say = (word: string) => `echo ${word} >> '${out}'`
    const hooks = [
      hook(say('one')),
      hook(say('drill'), { operations: ['drill'] }),
      hook(say('after'), { moment: 'after' }),
      hook(`${say('two')}; exit 75`),
      hook(say('three')),
    ]
    const { verdict, decisive, warnings } = await runHooks(hooks, before)
    assert.equal(await readFile(out, 'utf8'), 'one\ntwo\n')
    assert.deepEqual([verdict, decisive?.verdict, warnings], ['skip', 'skip', []])
  })

  test('that fail are a warning where only that was wanted, and after an operation', async () => {
    const no = await runHooks([hook('exit 1', { onFailure: 'warn' }), hook('exit 2')], before)
    assert.deepEqual([no.verdict, no.warnings], ['failed', ['The hook before the backup ended with 1.']])
    const done = await runHooks([hook('exit 1', { moment: 'after' }), hook('exit 75', { moment: 'after' })], after)
    assert.deepEqual(
      [done.verdict, done.warnings],
      ['go-on', ['The hook after the backup ended with 1.', 'The hook after the backup ended with 75.']],
    )
  })

  test('after an operation may depend on how it ended', async () => {
    const hooks = [
      hook('echo good; exit 1', { moment: 'after', when: 'success' }),
      hook('echo bad; exit 1', { moment: 'after', when: 'failure' }),
    ]
    const said = async (outcome: 'succeeded' | 'warning' | 'failed' | 'inconclusive') => {
      const { warnings } = await runHooks(hooks, { ...after, end: { outcome, durationMs: 1 } })
      return warnings.map((warning) => warning.split(' ').at(-1))
    }
    assert.deepEqual(await said('succeeded'), ['good'])
    assert.deepEqual(await said('warning'), ['good'])
    assert.deepEqual(await said('failed'), ['bad'])
    assert.deepEqual(await said('inconclusive'), ['bad'])
  })
})
