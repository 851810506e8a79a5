/**
 * Builds the image of ops/Dockerfile and runs it as docs/agent.md says, beside an application that writes all the time: the agent is
 * killed, its container is replaced, it is stopped, and every row that the application wrote is in what is then restored.
 *
 *     npm run check-container                               with the image node:24-slim
 *     npm run check-container -- --node-image mine:latest   with one that you have; --network: of the build, for npm
 *
 * It needs Docker, and removes again what it made there: containers, volumes and the image, but not what building it left in the cache.
 */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { z } from 'zod'

const root = join(import.meta.dirname, '..')
const { values } = parseArgs({
  options: {
    'node-image': { type: 'string', default: 'node:24-slim' },
    network: { type: 'string', default: 'default' },
  },
})
const run = `holdfast-check-${randomUUID().slice(0, 8)}`
const image = `${run}:latest`
const [agent, application] = [`${run}-agent`, `${run}-application`]
const volumes = { data: `${run}-data`, backups: `${run}-backups`, state: `${run}-state` }
const folder = mkdtempSync(join(tmpdir(), 'holdfast-container-'))
const configuration = join(folder, 'holdfast.yaml')
const writer = join(folder, 'writer.mjs')

const mounted = Object.entries({
  [volumes.data]: '/data',
  [volumes.backups]: '/backups',
  [volumes.state]: '/var/lib/holdfast',
}).flatMap(([volume, path]) => ['--volume', `${volume}:${path}`])

writeFileSync(configuration, 'repository: /backups/app\ndatabases:\n  - path: /data/app.db\n')
writeFileSync(
  writer,
  `import { DatabaseSync } from 'node:sqlite'
const db = new DatabaseSync('/data/app.db')
db.exec('PRAGMA journal_mode = WAL; CREATE TABLE rows(id INTEGER PRIMARY KEY, text)')
const insert = db.prepare('INSERT INTO rows(text) VALUES (hex(randomblob(100)))')
const timer = setInterval(() => insert.run(), 20)
process.on('SIGTERM', () => {
  clearInterval(timer)
  console.log(db.prepare('SELECT count(*) AS n FROM rows').get().n)
  process.exit()
})`,
)
// The containers' user is another.
chmodSync(folder, 0o755)

try {
  step(`builds the image on ${values['node-image']}`)
  const built = ['--build-arg', `NODE_IMAGE=${values['node-image']}`, '--network', values.network]
  docker('build', ...built, '--file', join(root, 'ops', 'Dockerfile'), '--tag', image, root)
  step('makes a repository in a new volume')
  holdfast('init', '--repository', '/backups/app')
  docker(
    'run',
    '--detach',
    '--name',
    application,
    '--network',
    'none',
    ...mounted,
    ...readable(writer, '/writer.mjs'),
    '--entrypoint',
    'node',
    image,
    '/writer.mjs',
  )
  step('starts the agent')
  startAgent()
  await untilFollowing(1)
  step('kills the agent, and starts its container again')
  docker('kill', '--signal', 'KILL', agent)
  docker('start', agent)
  await untilFollowing(2)
  step('kills the agent, and puts another container in its place')
  docker('kill', '--signal', 'KILL', agent)
  docker('rm', agent)
  startAgent()
  await untilFollowing(1)
  await delay(2000)
  step('stops the application, then the agent')
  docker('stop', application)
  const rows = Number(docker('logs', application).trim())
  assert.ok(rows > 100, `the application wrote ${rows} rows`)
  docker('stop', agent)
  assert.equal(docker('inspect', '--format', '{{.State.ExitCode}}', agent).trim(), '0')
  assert.match(docker('logs', agent), /The agent has stopped\./)
  step('restores the newest state, and counts')
  const points = z
    .object({ gaps: z.array(z.unknown()) })
    .parse(JSON.parse(holdfast('points', 'app', '--repository', '/backups/app', '--json')))
  assert.deepEqual(points.gaps, [])
  holdfast('restore', 'app', '--latest', '--to', '/data/restored.db', '--repository', '/backups/app')
  const count = `console.log(new (require('node:sqlite').DatabaseSync)('/data/restored.db').prepare('SELECT count(*) AS n FROM rows').get().n)`
  const restored = docker(
    'run',
    '--rm',
    '--network',
    'none',
    ...mounted,
    '--entrypoint',
    'node',
    image,
    '--eval',
    count,
  )
  assert.equal(Number(restored.trim()), rows)
  console.log(`All ${rows} rows are there, over two kills and a new container, without a gap.`)
} finally {
  for (const container of [agent, application]) docker('rm', '--force', '--volumes', container)
  docker('volume', 'rm', '--force', ...Object.values(volumes))
  spawnSync('docker', ['rmi', '--force', image], { stdio: 'ignore' })
  rmSync(folder, { recursive: true, force: true })
}

function step(what: string): void {
  console.log(`${new Date().toISOString()} ${what}`)
}

function readable(path: string, inside: string): readonly string[] {
  return ['--volume', `${path}:${inside}:ro`]
}

function startAgent(): void {
  const options = ['--detach', '--init', '--stop-timeout', '90', '--network', 'none', ...mounted]
  docker('run', ...options, '--name', agent, ...readable(configuration, '/etc/holdfast.yaml'), image)
}

function holdfast(...args: readonly string[]): string {
  return docker('run', '--rm', '--network', 'none', ...mounted, image, ...args)
}

/** Until it has said so often, in the life of its container, that it follows. */
async function untilFollowing(times: number): Promise<void> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await delay(500)) {
    if (docker('logs', agent).split('Following app:').length > times) return
  }
  throw new Error(`The agent does not follow:\n${docker('logs', agent)}`)
}

/** What it prints; of logs, both streams. */
function docker(...args: readonly string[]): string {
  const { status, stdout, stderr, error } = spawnSync('docker', args, { encoding: 'utf8', maxBuffer: 1 << 28 })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(`docker ${args.join(' ')} ended with ${status}:\n${stdout}${stderr}`)
  return args[0] === 'logs' ? stdout + stderr : stdout
}
