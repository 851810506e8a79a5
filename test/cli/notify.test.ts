import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it, type TestContext } from 'node:test'
import { startReceiver } from '../agent/notify/support/http-receiver.ts'
import { localhostCertificate } from '../agent/notify/support/localhost-certificate.ts'
import { startMailServer } from '../agent/notify/support/mail-server.ts'
import { cli, scratchFolder } from './support/cli.ts'
import { cliJson, cliJsonError } from './support/json-lines.ts'

async function folderWith(context: TestContext, lines: readonly string[]): Promise<string> {
  const folder = await scratchFolder(context)
  await writeFile(join(folder, 'ca.pem'), localhostCertificate)
  await writeFile(
    join(folder, 'holdfast.yaml'),
    ['repository: ./backups', 'databases: [{ path: app.db }]', ...lines, ''].join('\n'),
  )
  return folder
}

const mailLines = (port: number, more = '') => [
  '  - email:',
  '      host: 127.0.0.1',
  `      port: ${port}`,
  '      caFile: ca.pem',
  '      from: holdfast@example.com',
  '      to: [ops@example.com, boss@example.com]',
  ...(more === '' ? [] : [`      ${more}`]),
]

describe('holdfast notify test', () => {
  it('sends a test message through every channel', async (context) => {
    await using receiver = await startReceiver()
    await using mail = await startMailServer()
    const cwd = await folderWith(context, [
      'notify:',
      `  - { name: ops, webhook: { url: "${receiver.url}/hook", secret: abc }, on: [failure] }`,
      ...mailLines(mail.port),
      '  - command: cat > taken.json',
      `  - heartbeat: ${receiver.url}/ping`,
    ])
    const { code, stdout, stderr } = await cli(['notify', 'test'], { cwd })
    assert.equal(stderr, '')
    assert.equal(code, 0)
    assert.match(stdout, new RegExp(`^✓ ops \\(webhook\\): sent to ${receiver.url} in `, 'm'))
    assert.match(stdout, /^✓ email: sent to ops@example\.com, boss@example\.com through 127\.0\.0\.1 in /m)
    assert.match(stdout, /^✓ command: sent to cat in /m)
    assert.match(stdout, new RegExp(`^✓ heartbeat: sent to ${receiver.url} in `, 'm'))
    assert.match(stdout, /\nEvery test message was taken\. See whether it arrived, too\.\n$/)
    const [hook] = receiver.received.filter(({ path }) => path === '/hook')
    assert.equal(JSON.parse(hook?.body ?? '').type, 'test')
    assert.match(String(hook?.headers['webhook-signature']), /^v1,/)
    assert.equal(receiver.received.filter(({ path }) => path.startsWith('/ping?rid=')).length, 1)
    assert.match(mail.mails[0]?.source ?? '', /^Subject: \[holdfast\] Test: Holdfast can reach you here\.\r$/m)
    const document = JSON.parse(await readFile(join(cwd, 'taken.json'), 'utf8'))
    assert.equal(document.type, 'test')
    assert.match(document.repository, /backups$/)
  })

  it('says what became of each, and fails when one did not get through', async (context) => {
    await using broken = await startReceiver((response) => response.writeHead(500).end('out of order'))
    await using strict = await startMailServer({
      onAuth: (_auth, _session, callback) => callback(new Error('Invalid username or password')),
    })
    const cwd = await folderWith(context, [
      'notify:',
      `  - webhook: ${broken.url}/SECRET`,
      ...mailLines(strict.port, 'user: me'),
      '      password: hidden-SECRET',
      '  - command: exit 3',
      '  - { name: fine, command: "true" }',
    ])
    const { code, stdout, stderr } = await cli(['notify', 'test'], { cwd })
    assert.equal(code, 1)
    assert.ok(stdout.includes(`✗ webhook: ${broken.url} answered 500: out of order\n`), stdout)
    assert.match(
      stdout,
      /^✗ email: 127\.0\.0\.1 refused the user or the password: .*\n {2}hint: Check "user" and "password"/m,
    )
    assert.match(stdout, /^✗ command: The command ended with 3\.$/m)
    assert.match(stdout, /^✓ fine \(command\): sent to true/m)
    assert.match(stdout, /\n3 test messages of 4 did not get through\.\n$/)
    assert.doesNotMatch(stdout + stderr, /SECRET/)
    assert.equal(broken.received.length, 1)

    const { last, ended } = await cliJson('notify test', ['--channel', 'fine'], { cwd })
    assert.equal(ended.code, 0)
    assert.deepEqual(
      last.channels.map(({ name, type, ok, problem }) => [name, type, ok, problem]),
      [['fine', 'command', true, null]],
    )
    const all = await cliJson('notify test', [], { cwd })
    assert.equal(all.ended.code, 1)
    assert.deepEqual(
      all.last.channels.map(({ ok }) => ok),
      [false, false, false, true],
    )
    assert.doesNotMatch(all.ended.stdout, /SECRET/)
  })

  it('names the channels when the one that is asked for is unknown', async (context) => {
    const cwd = await folderWith(context, ['notify: [{ command: "true" }, { name: ops, command: "true" }]'])
    const { last } = await cliJsonError(['notify', 'test', '--channel', 'opps'], { cwd })
    assert.deepEqual(
      [last.exitCode, last.message, last.hint],
      [4, 'No channel is called "opps".', 'There are: command, ops.'],
    )
  })

  it('says so when there is nobody to notify, or no configuration', async (context) => {
    const cwd = await folderWith(context, [])
    const { code, stderr } = await cli(['notify', 'test'], { cwd })
    assert.equal(code, 2)
    assert.match(stderr, /The configuration names nobody to notify\.\nhint: Add a channel below "notify"/)
    const nowhere = await cli(['notify', 'test'], { cwd: await scratchFolder(context) })
    assert.equal(nowhere.code, 2)
    assert.match(nowhere.stderr, /holdfast\.yaml/)
  })
})
