import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { writeConfig } from './support/agent.ts'
import { bin, cli, cliOk, scratchFolder } from './support/cli.ts'
import { change, integrity, makeDatabase } from './support/database.ts'
import { cliJson, cliJsonError } from './support/json-lines.ts'

async function workplace(context: TestContext) {
  const cwd = await scratchFolder(context)
  const env = { XDG_STATE_HOME: join(cwd, 'xdg') }
  makeDatabase(join(cwd, 'app.db'))
  await cliOk(['init'], { cwd, env })
  await cliOk(['backup', 'app.db'], { cwd, env })
  return { cwd, env, at: (name: string) => join(cwd, name) }
}

describe('holdfast mirror', () => {
  it('begins a mirror, brings it up to date, and what is there can be restored', async (context) => {
    const { cwd, env, at } = await workplace(context)
    const dry = await cliJson('mirror', ['nas', '--dry-run'], { cwd, env })
    assert.ok(dry.last.mirrors[0]?.isNew)
    assert.ok(!existsSync(at('nas')))
    const first = await cliOk(['mirror', 'nas'], { cwd, env })
    assert.match(first.stdout, /^Made a mirror at file:\S+\/nas, in/)
    change(at('app.db'), "INSERT INTO users (name) VALUES ('new')")
    await cliOk(['backup', 'app.db', '--name', 'second'], { cwd, env })
    const { last } = await cliJson('mirror', ['nas'], { cwd, env })
    const [mirror] = last.mirrors
    assert.deepEqual([mirror?.isNew, mirror?.complete, mirror?.databases], [false, true, ['app']])
    rmSync(at('backups'), { recursive: true })
    await cliOk(['restore', 'app', '--name', 'second', '--to', 'back.db', '--repository', 'nas'], { cwd, env })
    assert.equal(integrity(at('back.db')), 'ok')
    const { stdout } = await cliOk(['history', '--json'], { cwd, env })
    assert.match(stdout, /"kind":"mirror"/)
  })

  it('refuses everybody else who wants to write there, and says how to promote it', async (context) => {
    const { cwd, env, at } = await workplace(context)
    await cliOk(['mirror', 'nas'], { cwd, env })
    for (const args of [
      ['backup', 'app.db'],
      ['follow', 'app.db'],
      ['expire', 'app', '--keep-last', '1'],
      ['compact', 'app'],
    ]) {
      const { last } = await cliJsonError([...args, '--repository', 'nas'], { cwd, env })
      assert.deepEqual([args[0], last.code], [args[0], 'MIRROR'])
      assert.match(last.hint ?? '', /holdfast mirror --promote/)
    }
    writeConfig(cwd, { repository: './nas', databases: [{ path: 'app.db' }] })
    assert.equal((await cliJsonError(['run'], { cwd, env })).last.code, 'MIRROR')
    rmSync(at('holdfast.yaml'))
    assert.match((await cliOk(['doctor', '--repository', 'nas'], { cwd, env })).stdout, /this is a mirror of file:/)
    const { stdout } = await cliOk(['mirror', '--promote', 'nas'], { cwd, env })
    assert.match(stdout, /^This is a repository of its own now\./)
    const history = await cliOk(['history', '--kind', 'promote', '--json', '--repository', 'nas'], { cwd, env })
    assert.match(history.stdout, /"kind":"promote","subtype":"file:[^"]+\/backups".*"outcome":"succeeded"/)
    assert.match((await cliOk(['audit', '--json'], { cwd, env })).stdout, /"promote"/)
    await cliOk(['backup', 'app.db', '--repository', 'nas'], { cwd, env })
    assert.equal((await cliJsonError(['mirror', 'nas'], { cwd, env })).last.code, 'MIRROR')
  })

  it('takes the places from the configuration, goes on where one is away, and names them when the repository is', async (context) => {
    const { cwd, env, at } = await workplace(context)
    writeConfig(cwd, {
      databases: [{ path: 'app.db' }],
      mirrors: ['./one', { to: './two', every: '6h', grace: '30d' }],
    })
    await cliOk(['mirror'], { cwd, env })
    const doctor = await cli(['doctor'], { cwd, env })
    assert.match(doctor.stdout, /mirror file:\S+\/one: complete as of/)
    rmSync(at('one'), { recursive: true })
    mkdirSync(at('one'))
    const { ended, last } = await cliJson('mirror', [], { cwd, env })
    assert.equal(ended.code, 1)
    assert.deepEqual(
      [last.failures.map(({ code }) => code), last.mirrors.map(({ complete }) => complete)],
      [['MIRROR'], [true]],
    )
    assert.match(last.failures[0]?.message ?? '', /nothing at file:\S+\/one, where a mirror was before/)
    await cliOk(['mirror', 'one', '--begin'], { cwd, env })
    const schedules = await cliJson('schedule list', [], { cwd, env })
    assert.deepEqual(
      schedules.last.schedules.filter(({ action }) => action === 'mirror').map(({ id, path }) => [id, path]),
      [
        ['mirror-hourly', null],
        ['mirror-every-6h', null],
      ],
    )
    const name = schedules.last.schedules.find(({ id }) => id === 'mirror-hourly')?.database ?? ''
    assert.equal((await cliJson('schedule run', [name, 'mirror-hourly'], { cwd, env })).last.outcome, 'succeeded')
    renameSync(at('backups'), at('gone'))
    const { last: error } = await cliJsonError(['list'], { cwd, env })
    assert.match(error.hint ?? '', /can be listed, verified and restored from file:\S+\/one or file:\S+\/two/)
  })

  it('deletes by hand no sooner than the configuration says, in whatever words the place is named', async (context) => {
    const { cwd, env, at } = await workplace(context)
    await cliOk(['backup', 'app.db', '--type', 'full'], { cwd, env })
    await cliOk(['mirror', 'nas'], { cwd, env })
    writeConfig(cwd, {
      repository: './backups',
      databases: [{ path: 'app.db' }],
      mirrors: [{ to: './nas', grace: '30d' }],
    })
    const policy = ['--keep-last', '1', '--window', '0', '--grace', '0s']
    await cliOk(['expire', 'app', ...policy, '--yes'], { cwd, env })
    for (const name of ['nas', 'nas/', at('nas'), pathToFileURL(at('nas')).href]) {
      const { last } = await cliJson('mirror', [name, '--dry-run'], { cwd, env })
      const [waiting] = last.mirrors[0]?.waiting ?? []
      const days = (Date.parse(waiting?.until ?? '') - Date.parse(waiting?.since ?? '')) / 86_400_000
      assert.equal(days, 30, name)
    }
    const { last } = await cliJson('mirror', ['nas', '--grace', '2d', '--dry-run'], { cwd, env })
    const [waiting] = last.mirrors[0]?.waiting ?? []
    assert.equal(Date.parse(waiting?.until ?? '') - Date.parse(waiting?.since ?? ''), 2 * 86_400_000)
  })

  it('says which side is damaged, and does not spread it', async (context) => {
    const { cwd, env, at } = await workplace(context)
    await cliOk(['mirror', 'nas'], { cwd, env })
    const segments = 'databases/app/segments'
    const [name = ''] = readdirSync(at(`backups/${segments}`))
    writeFileSync(at(`backups/${segments}/${name}`), 'ransom')
    const { ended, last } = await cliJson('mirror', ['nas'], { cwd, env })
    assert.equal(ended.code, 5)
    const [finding] = last.mirrors[0]?.findings ?? []
    assert.deepEqual([finding?.object, finding?.side, finding?.soundCopy], [`${segments}/${name}`, 'source', 'mirror'])
    await cliOk(['verify', '--repository', 'nas'], { cwd, env })
  })

  it('killed at any moment leaves what the next run completes', async (context) => {
    const { cwd, env, at } = await workplace(context)
    for (let more = 0; more < 6; more += 1) {
      change(at('app.db'), `INSERT INTO users (name) VALUES ('user ${more}')`)
      await cliOk(['backup', 'app.db', '--type', more % 2 === 0 ? 'full' : 'incremental'], { cwd, env })
    }
    for (let attempt = 0; attempt < 6; attempt += 1) {
      const child = spawn(process.execPath, [bin, 'mirror', 'nas', '--quiet'], {
        cwd,
        env: { ...process.env, ...env },
        stdio: 'ignore',
      })
      const ended = once(child, 'exit')
      await sleep(150 + attempt * 60)
      child.kill('SIGKILL')
      await ended
      if (!existsSync(at('nas/holdfast.json'))) continue
      await cliOk(['verify', '--level', 'restore', '--repository', 'nas'], { cwd, env })
    }
    await cliOk(['mirror', 'nas'], { cwd, env })
    const { last } = await cliJson('verify', ['--level', 'restore', '--repository', 'nas'], { cwd, env })
    assert.equal(last.restorable.length, 7)
  })

  it('is told of by "stats": where it is, when it was complete, and how far it is behind', async (context) => {
    const { cwd, env, at } = await workplace(context)
    const stats = async (...args: string[]) => (await cliJson('stats', args, { cwd, env })).last.mirrors
    assert.deepEqual(await stats(), [])
    const place = (name: string) => pathToFileURL(at(name)).href
    await cliOk(['mirror', 'nas'], { cwd, env })
    const [first, ...more] = await stats()
    assert.deepEqual([first?.mirror, first?.problem, more], [place('nas'), null, []])
    assert.deepEqual(first?.behind, { objects: 0, bytes: 0, lsns: 0, databases: [] })
    assert.ok(Date.now() - Date.parse(first?.completeAt ?? '') < 600_000)
    assert.match(
      (await cliOk(['stats'], { cwd, env })).stdout,
      /Mirrors\n.*\n +file:\S+\/nas +20\S+ \S+ \S+ +nothing\n/,
    )
    change(at('app.db'), "INSERT INTO users (name) VALUES ('new')")
    await cliOk(['backup', 'app.db'], { cwd, env })
    const [behind] = (await stats('app'))[0]?.behind?.databases ?? []
    assert.deepEqual([behind?.database, behind?.objects, behind?.lsns], ['app', 2, 1])
    assert.match((await cliOk(['stats'], { cwd, env })).stdout, / 2 objects, [\d.]+ \S+, 1 LSN\n/)
    writeConfig(cwd, { databases: [{ path: 'app.db' }], mirrors: ['./usb'] })
    renameSync(at('nas'), at('away'))
    assert.deepEqual(
      (await stats()).map(({ mirror, completeAt, problem }) => [mirror, completeAt === null, problem]),
      [
        [place('nas'), false, 'There is no mirror of this repository.'],
        [place('usb'), true, 'There is no mirror of this repository.'],
      ],
    )
    renameSync(at('away'), at('nas'))
    await cliOk(['mirror', '--promote', 'nas'], { cwd, env })
    assert.deepEqual(
      (await stats()).map(({ mirror }) => mirror),
      [place('usb')],
    )
  })

  it('mirrors the other databases where one cannot be, and says which', async (context) => {
    const { cwd, env, at } = await workplace(context)
    for (const name of ['bee', 'zoo']) {
      makeDatabase(at(`${name}.db`))
      await cliOk(['backup', `${name}.db`], { cwd, env })
    }
    await cliOk(['mirror', 'nas', '--database', 'app'], { cwd, env })
    // Root may write anywhere, but not into a file as if it were a folder.
    mkdirSync(at('nas/databases/bee'))
    writeFileSync(at('nas/databases/bee/segments'), '')
    const { ended, last } = await cliJson('mirror', ['nas'], { cwd, env })
    const [mirror] = last.mirrors
    assert.deepEqual(
      mirror?.failures.map(({ database, code }) => [database, code]),
      [['bee', 'USAGE']],
    )
    assert.deepEqual([ended.code, mirror?.complete, mirror?.completeAt], [2, false, null])
    const [state] = (await cliJson('stats', [], { cwd, env })).last.mirrors
    assert.deepEqual([state?.completeAt, state?.behind?.databases.map(({ database }) => database)], [null, ['bee']])
    await cliOk(['verify', 'app', 'zoo', '--level', 'restore', '--repository', 'nas'], { cwd, env })
    const text = await cli(['mirror', 'nas'], { cwd, env })
    assert.match(text.stdout, /is NOT COMPLETE[\s\S]*\n- bee was not mirrored, or only in part: /)
    assert.equal(text.code, 2)
    rmSync(at('nas/databases/bee/segments'))
    const { last: next } = await cliJson('mirror', ['nas'], { cwd, env })
    assert.deepEqual([next.mirrors[0]?.complete, next.mirrors[0]?.failures], [true, []])
  })

  it('refuses a folder in that of the repository, or around it', async (context) => {
    const { cwd, env, at } = await workplace(context)
    for (const place of ['backups/mirror', '.']) {
      const { ended, last } = await cliJsonError(['mirror', place], { cwd, env })
      assert.deepEqual([ended.code, last.code], [2, 'USAGE'])
    }
    assert.ok(!existsSync(at('backups/mirror')) && !existsSync(at('mirror.json')))
  })

  it('says what does not go together', async (context) => {
    const { cwd, env } = await workplace(context)
    for (const args of [[], ['nas', '--force'], ['nas', '--promote', 'nas'], ['--promote', 'nas', '--dry-run']])
      assert.equal((await cliJsonError(['mirror', ...args], { cwd, env })).last.code, 'USAGE', args.join(' '))
    assert.equal((await cliJsonError(['mirror', 'backups'], { cwd, env })).last.code, 'MIRROR')
    assert.equal((await cliJsonError(['mirror', 'nas', '--database', 'x'], { cwd, env })).last.code, 'NAME_NOT_FOUND')
  })
})
