import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { it } from 'node:test'
import { bin, cli, cliOk, scratchFolder } from './support/cli.ts'
import { makeDatabase, startWriter } from './support/database.ts'

/** Runs `holdfast` at a real pseudo-terminal, and types `input` there. Gives all that the terminal got. */
async function atTerminal(
  cwd: string,
  args: readonly string[],
  { input = '', env = {}, then }: { input?: string; env?: NodeJS.ProcessEnv; then?: string } = {},
) {
  writeFileSync(
    join(cwd, 'run.sh'),
    `stty cols 100; ${then === undefined ? 'exec ' : ''}"$NODE" "$BIN" ${args.join(' ')} ${then ?? ''}\n`,
  )
  // CI servers say that they are some, and get no colours.
  const { CI: _ci, NO_COLOR: _noColor, FORCE_COLOR: _color, NODE_TEST_CONTEXT: _test, ...rest } = process.env
  const child = spawn('script', ['--quiet', '--return', '--command', 'sh run.sh', '/dev/null'], {
    cwd,
    env: { ...rest, TERM: 'xterm', NODE: process.execPath, BIN: bin, ...env },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  child.stdin.write(input)
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve))
  return { screen: await text(child.stdout), code: await ended }
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: what terminals are told
const escapes = /\u001b\[[\d;]*[a-zA-Z]/g

it('a backup that takes longer than a second has a bar on a terminal, which is gone at the end', async (context) => {
  const cwd = await scratchFolder(context)
  makeDatabase(join(cwd, 'app.db'), { rows: 30_000, bytes: 2500 })
  await cliOk(['init'], { cwd })
  const { screen, code } = await atTerminal(cwd, ['backup', 'app.db', '--codec', 'gzip', '--level', '9'])
  assert.equal(code, 0)
  const drawn = screen.split('\r').map((line) => line.replaceAll(escapes, ''))
  const bars = drawn.filter((line) => /^app copy {2}█*░* +\d+% {2}[\d.]+ MiB of [\d.]+ MiB {2}/.test(line))
  assert.ok(bars.length > 2, screen)
  assert.ok(
    bars.some((line) => /MiB\/s {2}.* left$/.test(line)),
    bars.join('\n'),
  )
  assert.ok(bars.every((line) => line.length < 100))
  assert.ok(screen.includes('\r\u001b[K'), 'the bar is wiped')
  assert.match(drawn.join('\n'), /app: full backup [a-z0-9]{12}/)
})

it('follow shows its state in one line on a terminal, which is gone at the end', async (context) => {
  const cwd = await scratchFolder(context)
  makeDatabase(join(cwd, 'app.db'))
  await cliOk(['init'], { cwd })
  await startWriter(context, join(cwd, 'app.db'))
  const then = '& sleep 6; kill -TERM $!; wait $!'
  const { screen, code } = await atTerminal(cwd, ['follow', 'app.db', '--state', 'state'], { then })
  assert.equal(code, 0, screen)
  const drawn = screen.split('\r').map((line) => line.replaceAll(escapes, ''))
  const lines = drawn.filter((line) =>
    /^app: [\d,]+ commits(, [\d,]+\/s)?, lag [\d.]+ m?s, log [\d.]+ [KM]?i?B, uploaded \d\d:\d\d:\d\d$/.test(line),
  )
  assert.ok(lines.length > 2, screen)
  assert.ok(screen.includes('\r\u001b[K\r\nStopping'), 'the line is wiped')
  assert.match(screen, /\napp: [\d,]+ commits followed; /)
})

it('delete asks at a terminal, and takes only a yes for one', async (context) => {
  const cwd = await scratchFolder(context)
  makeDatabase(join(cwd, 'app.db'))
  await cliOk(['init'], { cwd })
  await cliOk(['backup', 'app.db'], { cwd })
  await cliOk(['backup', 'app.db', '--name', 'second'], { cwd })
  await cliOk(['backup', 'app.db', '--type', 'full'], { cwd })
  const no = await atTerminal(cwd, ['delete', 'app', 'second'], { input: 'what?\n' })
  assert.match(
    no.screen,
    /Delete the incremental backup [a-z0-9]{12} "second" of app, .*\? This frees .* and cannot be undone\. \[y\/N\]/,
  )
  assert.match(no.screen, /Nothing was deleted/)
  assert.equal(no.code, 1)
  const yes = await atTerminal(cwd, ['delete', 'app', 'second'], { input: 'y\n' })
  assert.match(yes.screen, /Deleted the incremental backup/)
  assert.equal(yes.code, 0)
})

it('expire shows its plan at a terminal, and asks before it lets anything go', async (context) => {
  const cwd = await scratchFolder(context)
  makeDatabase(join(cwd, 'app.db'))
  await cliOk(['init'], { cwd })
  await cliOk(['backup', 'app.db'], { cwd })
  await cliOk(['backup', 'app.db'], { cwd })
  const args = ['expire', 'app', '--keep-last', '1', '--window', '0']
  const no = await atTerminal(cwd, args, { input: 'n\n' })
  assert.match(no.screen, /drop +[a-z0-9]{12} +full .* no rule keeps it/)
  assert.match(
    no.screen,
    /Drop 1 backup of app, and give up what nothing needs any more\? This cannot be undone\. \[y\/N\]/,
  )
  assert.match(no.screen, /Nothing was changed/)
  assert.equal(no.code, 1)
  const yes = await atTerminal(cwd, args, { input: 'y\n' })
  assert.match(yes.screen, /app: kept 1 backup, dropped 1\./)
  assert.equal(yes.code, 0)
})

it('errors are coloured on a terminal, unless NO_COLOR forbids it, and never elsewhere', async (context) => {
  const cwd = await scratchFolder(context)
  assert.ok((await atTerminal(cwd, ['list'])).screen.includes('\u001b[31merror:\u001b[39m'))
  assert.match((await atTerminal(cwd, ['list'], { env: { NO_COLOR: '1' } })).screen, /(^|\n)error:/)
  assert.match((await cli(['list'], { cwd })).stderr, /^error:/)
})
