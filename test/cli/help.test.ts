import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { it } from 'node:test'
import packageJson from '../../package.json' with { type: 'json' }
import { bin, cli, cliOk } from './support/cli.ts'

const verbs = [
  'init',
  'backup',
  'follow',
  'run',
  'status',
  'agents',
  'list',
  'show',
  'history',
  'stats',
  'audit',
  'points',
  'estimate',
  'restore',
  'verify',
  'drill',
  'delete',
  'pin',
  'unpin',
  'expire',
  'compact',
  'mirror',
  'doctor',
  'config',
  'schedule',
  'notify',
  'completion',
]

it('the help names every command of this release and no other, and the exit statuses', async () => {
  const { stdout } = await cliOk(['--help'])
  const listed = /Commands:\n([\s\S]*?)\n\n/
    .exec(stdout)?.[1]
    ?.match(/^ {2}(\w+)/gm)
    ?.map((line) => line.trim())
  assert.deepEqual(listed, [...verbs, 'help'])
  assert.match(stdout, /Exit status: 0 done, 1 error, 2 wrong usage/)
})

for (const verb of verbs) {
  it(`the help of ${verb} has examples that begin with it, and the options of all commands`, async () => {
    const { stdout } = await cliOk([verb, '--help'])
    const examples = /Examples:\n([\s\S]*)$/.exec(stdout)?.[1]?.trimEnd().split('\n') ?? []
    assert.ok(examples.length >= 2)
    for (const example of examples) assert.match(example, new RegExp(`^ {2}.*holdfast ${verb}\\b`))
    assert.match(stdout, /--repository <place>[\s\S]*--json[\s\S]*--quiet[\s\S]*--verbose/)
    assert.equal((await cliOk(['help', verb])).stdout, stdout)
  })
}

it('without a command, help goes to stderr, and the status says that something is missing', async () => {
  const { code, stdout, stderr } = await cli([])
  assert.deepEqual([code, stdout], [2, ''])
  assert.match(stderr, /Usage: holdfast/)
})

it('prints its version', async () => {
  assert.equal((await cliOk(['--version'])).stdout, `${packageJson.version}\n`)
})

it('says under an older Node.js what is missing, with a command that asks nothing', () => {
  const old = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.1.0' } })`
  const url = `data:text/javascript,${encodeURIComponent(old)}`
  const { status, stderr } = spawnSync(process.execPath, ['--import', url, bin, 'list'], { encoding: 'utf8' })
  assert.equal(status, 1)
  assert.match(stderr, /needs Node\.js 24 or newer, but this is Node\.js 20\.1\.0: .*"npx --yes -p node@24 holdfast"/)
})

it('every document that the program or the README names is in the package', () => {
  const root = join(import.meta.dirname, '../..')
  const read = (file: string) => readFileSync(join(root, file), 'utf8')
  const inSource = globSync('src/**/*.ts', { cwd: root }).flatMap(
    (file) => read(file).match(/\bdocs\/[\w-]+(?:\.\w+)+/g) ?? [],
  )
  const inReadme = [...read('README.md').matchAll(/\]\(([\w./-]+)/g)].map(([, target = '']) => target)
  const named = new Set([...inSource, ...inReadme].filter((target) => !target.startsWith('http')))
  assert.ok(named.has('docs/cli-json.md') && named.has('docs/agent.md') && named.has('examples'))
  for (const file of named) {
    assert.ok(existsSync(join(root, file)), file)
    assert.ok(
      packageJson.files.some((shipped) => file === shipped || file.startsWith(`${shipped}/`)),
      file,
    )
  }
})

it('starts without loading what it does not need', () => {
  // Names every module on stderr as it is loaded.
  const spy = `
    import { registerHooks } from 'node:module'
    import { writeSync } from 'node:fs'
    registerHooks({ load(url, context, next) { writeSync(2, url + '\\n'); return next(url, context) } })`
  const url = `data:text/javascript,${encodeURIComponent(spy)}`
  for (const args of [['--version'], ['--help'], ['restore', '--help']]) {
    const { status, stderr } = spawnSync(process.execPath, ['--import', url, bin, ...args], { encoding: 'utf8' })
    assert.equal(status, 0)
    assert.match(stderr, /cli\/program\.js\n/, 'the spy sees what is loaded')
    assert.doesNotMatch(stderr, /node_modules\/(zod|chrono-node)\/|node:sqlite|\/(repository|storage|source|segment)\//)
  }
})
