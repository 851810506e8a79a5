// The main job on a real, live database, through the built program: what README.md tells a newcomer to type.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { styleText } from 'node:util'

const program = fileURLToPath(new URL('../bin/holdfast.js', import.meta.url))
const shop = fileURLToPath(new URL('./quickstart-shop.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'holdfast-quickstart-'))
const app = spawn(process.execPath, [shop, join(folder, 'app.db')], { stdio: ['pipe', 'pipe', 'inherit'] })

let follower

try {
  say('A shop writes orders into app.db, as fast as it can, all the time.')
  await line(app.stdout)

  holdfast('init')
  holdfast('backup', 'app.db', '--type', 'full')
  holdfast('backup', 'app.db', '--type', 'snapshot', '--name', 'before-2.0')
  holdfast('list', 'app')

  say('From now on every single commit shall be a restore point. This runs beside the shop:')
  follower = follow('app.db')
  await sleep(3000)

  app.stdin.write('cleanup\n')
  const cleanup = String(await line(app.stdout)).trim()
  say(`Somebody runs a "cleanup", at ${cleanup}: DELETE FROM orders WHERE id % 2 = 0. The shop goes on writing.`)
  await sleep(2000)
  const live = look('app.db')
  say('Enough followed for today: Ctrl-C takes and uploads what is left.')
  await interrupt(follower)
  holdfast('points', 'app')

  say('The database as it was right before that, proved, beside the live one:')
  holdfast('estimate', 'app', '--at', cleanup, '--before')
  holdfast('restore', 'app', '--at', cleanup, '--before', '--to', 'recovered.db')
  holdfast('verify', 'app')

  const recovered = look('recovered.db')
  say(`app.db, live:  ${live.orders} orders, ${live.missing} missing.`)
  say(
    `recovered.db:  ${recovered.orders} orders, ${recovered.missing} missing; its running total ${recovered.fits ? 'fits every one of them' : 'DOES NOT FIT'}.`,
  )
  if (recovered.missing !== 0 || !recovered.fits || live.missing === 0 || recovered.orders <= 100_000)
    throw new Error('The recovered database is not what it should be.')
  say(styleText('green', 'Recovered to the commit before, and proved.'))
} finally {
  follower?.kill('SIGKILL')
  app.kill()
  rmSync(folder, { recursive: true, force: true })
}

function say(text) {
  console.log(`\n${styleText('bold', text)}`)
}

function holdfast(...args) {
  console.log(`\n${styleText('cyan', `$ holdfast ${args.join(' ')}`)}`)
  const { status } = spawnSync(process.execPath, [program, ...args], {
    cwd: folder,
    env: { ...process.env, XDG_STATE_HOME: join(folder, 'state') },
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (status !== 0) throw new Error(`holdfast ${args[0]} ended with status ${status}.`)
}

/** Its words are set apart from those of the commands that run meanwhile. */
function follow(...args) {
  console.log(`\n${styleText('cyan', `$ holdfast follow ${args.join(' ')} &`)}`)
  const child = spawn(process.execPath, [program, 'follow', ...args], {
    cwd: folder,
    env: { ...process.env, XDG_STATE_HOME: join(folder, 'state') },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  for (const stream of [child.stdout, child.stderr])
    createInterface(stream).on('line', (text) => text.trim() && console.log(styleText('dim', `follow │ ${text}`)))
  return child
}

async function interrupt(child) {
  child.kill('SIGINT')
  const [code] = await once(child, 'close')
  if (code !== 0 && code !== 3) throw new Error(`holdfast follow ended with status ${code}.`)
}

function line(stream) {
  return new Promise((resolve, reject) => {
    stream.once('data', resolve)
    stream.once('end', () => reject(new Error('The shop stopped.')))
  })
}

/** Every order's number was given once, and the total that the shop keeps in the same transaction is the sum of all. */
function look(name) {
  const db = new DatabaseSync(join(folder, name), { readOnly: true })
  try {
    db.exec('BEGIN')
    const { orders, sum } = db.prepare('SELECT count(*) AS orders, coalesce(sum(amount), 0) AS sum FROM orders').get()
    const { last, total } = db.prepare('SELECT last, total FROM ledger').get()
    return { orders, missing: last - orders, fits: sum === total }
  } finally {
    db.close()
  }
}
