// The main job on a real, live database, through the built program: what README.md tells a newcomer to type.
import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { styleText } from 'node:util'

const program = fileURLToPath(new URL('../bin/holdfast.js', import.meta.url))
const shop = fileURLToPath(new URL('./quickstart-shop.mjs', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'holdfast-quickstart-'))
const app = spawn(process.execPath, [shop, join(folder, 'app.db')], { stdio: ['pipe', 'pipe', 'inherit'] })

try {
  say('A shop writes orders into app.db, as fast as it can, all the time.')
  await line(app.stdout)

  holdfast('init')
  holdfast('backup', 'app.db', '--type', 'full')
  await sleep(500)
  say('Half a second of orders later: only what changed is stored.')
  holdfast('backup', 'app.db', '--type', 'incremental')
  holdfast('backup', 'app.db', '--type', 'snapshot', '--name', 'before-cleanup')

  say('Somebody runs a "cleanup": DELETE FROM orders WHERE id % 2 = 0. The shop goes on writing.')
  app.stdin.write('cleanup\n')
  await line(app.stdout)
  holdfast('backup', 'app.db')
  holdfast('list', 'app')

  say('The database as it was before that, proved, beside the live one:')
  holdfast('restore', 'app', '--name', 'before-cleanup', '--to', 'recovered.db')
  holdfast('verify', 'app')

  const live = look('app.db')
  const recovered = look('recovered.db')
  say(`app.db, live:  ${live.orders} orders, ${live.missing} missing.`)
  say(
    `recovered.db:  ${recovered.orders} orders, ${recovered.missing} missing; its running total ${recovered.fits ? 'fits every one of them' : 'DOES NOT FIT'}.`,
  )
  if (recovered.missing !== 0 || !recovered.fits || live.missing === 0)
    throw new Error('The recovered database is not what it should be.')
  say(styleText('green', 'Recovered and proved.'))
} finally {
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
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (status !== 0) throw new Error(`holdfast ${args[0]} ended with status ${status}.`)
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
