import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  existsSync,
  globSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { it, type TestContext } from 'node:test'
import { Lease } from '../../src/repository/lease.ts'
import { Repository } from '../../src/repository/repository.ts'
import { openStorage } from '../../src/storage/open-storage.ts'
import { cli, cliOk, scratchFolder } from './support/cli.ts'
import { change, makeDatabase } from './support/database.ts'
import { cliJson, cliJsonError } from './support/json-lines.ts'

interface Refusal {
  readonly code: string
  readonly exitCode: number
  /** What the message, its object or its hint must say. */
  readonly says: readonly RegExp[]
}

/** A repository with one full and one incremental backup of `app.db`. */
async function workplace(context: TestContext) {
  const cwd = await scratchFolder(context)
  const at = (...names: string[]) => join(cwd, ...names)
  makeDatabase(at('app.db'))
  await cliOk(['init'], { cwd })
  await cliOk(['backup', 'app.db', '--quiet'], { cwd })
  await cliOk(['backup', 'app.db', '--quiet'], { cwd })
  return { cwd, at }
}

/** Runs the command for programs and for people; both must be told the same, and nothing may be left behind. */
async function refuses(
  cwd: string,
  args: readonly string[],
  { code, exitCode, says }: Refusal,
  options: { uid?: number } = {},
) {
  const before = filesBelow(cwd)
  const { last } = await cliJsonError(args, { cwd, ...options })
  assert.deepEqual([last.code, last.exitCode], [code, exitCode], last.message)
  for (const words of says) assert.match([last.message, last.object, last.hint].join('\n'), words)
  const human = await cli(args, { cwd, ...options })
  assert.equal(human.code, exitCode)
  assert.match(human.stderr, /(^|\n)error: /)
  assert.ok(human.stderr.includes(last.message), human.stderr)
  assert.deepEqual(filesBelow(cwd), before, 'nothing new, nothing gone')
}

/** A lease and its lock stay, released, and what is noted of the audit log, and are no leftovers; SQLite's own files beside a live database come and go. */
function filesBelow(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  return files
    .filter(
      (name) => !/lease\.json$|\.lock@holdfast|-(wal|shm)$|(^|\/)databases(\/[^/]*)?$|(^|\/)audit(\/|$)/.test(name),
    )
    .sort()
}

const commandLines: readonly (readonly [args: string, says: RegExp])[] = [
  ['', /A command is missing/],
  ['bakup app.db', /Unknown command 'bakup'[\s\S]*Did you mean backup\?/],
  ['backup app.db --typ full', /Unknown option '--typ'[\s\S]*Did you mean --type\?/],
  ['backup', /Missing required argument 'database'/],
  ['backup app.db --type weekly', /'weekly' is invalid[\s\S]*full, incremental, snapshot/],
  ['backup app.db --type snapshot', /A snapshot needs a name/],
  ['backup app.db --type full --parent abc', /A full backup has no parent/],
  ['backup app.db other.db --database app', /--database names one database/],
  ['backup app.db --tag nonsense', /key=value/],
  ['backup app.db --wait soon', /duration such as 30s/],
  ['backup app.db --max-concurrent 0', /whole number from 1 to 64/],
  ['backup app.db --database ../evil', /"\.\.\/evil" cannot be the name/],
  ['restore app --to out.db', /Say which state to restore[\s\S]*--latest/],
  ['restore app --latest --lsn 1 --to out.db', /More than one state/],
  ['restore app --latest --before --to out.db', /--before goes with --at, --lsn or --name/],
  ['restore app --latest', /--to <path>' not specified/],
  ['restore app --at banana --to out.db', /"banana" is not a time[\s\S]*2 hours ago/],
  ['restore app --at 2100-01-01 --to out.db', /"2100-01-01" is 2100-01-01 00:00.*still to come[\s\S]*--latest/],
  ['estimate app --at tomorrow', /still to come/],
  ['restore app --lsn 0 --to out.db', /whole number from 1 on/],
  ['restore app --latest --to ', /--to names no file/],
  ['restore app --latest --to new/', /new\/ is the name of a folder/],
  ['backup ', /The path of a database is empty/],
  ['verify --subset 0%', /part such as 10%/],
  ['points app --from 2026-02-01 --to 2026-01-01', /--from .* is after --to/],
  ['completion tcsh', /'tcsh' is invalid[\s\S]*bash, zsh, fish/],
  ['list --repository gopher://backups', /no storage of the kind "gopher:"/],
]

it('wrong usage is said with what to do instead, and ends with 2', async (context) => {
  const { cwd } = await workplace(context)
  for (const [line, says] of commandLines) {
    const args = line === '' ? [] : line.split(' ')
    await refuses(cwd, args, { code: 'USAGE', exitCode: 2, says: [says] })
  }
})

it('a name in place of a path is refused with the path', async (context) => {
  const { cwd, at } = await workplace(context)
  await refuses(cwd, ['backup', 'app'], {
    code: 'DATABASE_NOT_FOUND',
    exitCode: 4,
    says: [/Give the path/, RegExp(at('app.db'))],
  })
})

it('what cannot be backed up is refused with the reason', async (context) => {
  const { cwd, at } = await workplace(context)
  writeFileSync(at('notes.txt'), 'These are notes, and no database.\n'.repeat(100))
  writeFileSync(at('secret.db'), randomBytes(8192))
  mkdirSync(at('folder.db'))
  const refuse = (path: string, refusal: Refusal) => refuses(cwd, ['backup', path], refusal)
  await refuse('missing.db', { code: 'DATABASE_NOT_FOUND', exitCode: 4, says: [/missing\.db/] })
  await refuse('notes.txt', {
    code: 'NOT_A_DATABASE',
    exitCode: 1,
    says: [/notes\.txt/, /the file that the application opens/],
  })
  writeFileSync(at('notes.db-wal'), 'This is no database.\n')
  await refuse('notes.db-wal', {
    code: 'NOT_A_DATABASE',
    exitCode: 1,
    says: [/back up .*notes\.db, which includes it/],
  })
  await refuse('secret.db', { code: 'DATABASE_ENCRYPTED', exitCode: 1, says: [/secret\.db/, /encrypt/] })
  await refuse('folder.db', { code: 'NOT_A_DATABASE', exitCode: 1, says: [/is a folder/, /Name the database file/] })
  change(at('app.db'), 'PRAGMA foreign_keys = off; DELETE FROM users WHERE id < 4')
  await refuse('app.db', {
    code: 'DATABASE_DAMAGED',
    exitCode: 5,
    says: [/3 rows of orders break a foreign key/, /PRAGMA foreign_key_check/, /--allow-damaged/],
  })
})

it('a name that no file can have, and links that lead nowhere, are no bug of ours', async (context) => {
  const { cwd, at } = await workplace(context)
  const long = 'x'.repeat(300)
  symlinkSync('circle.db', at('circle.db'))
  for (const args of [
    ['backup', `${long}.db`],
    ['restore', 'app', '--latest', '--to', long],
  ])
    await refuses(cwd, args, { code: 'USAGE', exitCode: 2, says: [/too long a name/, /Choose a shorter one/] })
  await refuses(cwd, ['backup', 'circle.db'], { code: 'USAGE', exitCode: 2, says: [/circle of symbolic links/] })
  await refuses(cwd, ['restore', 'app', '--latest', '--to', 'app.db/out.db'], {
    code: 'TARGET_FOLDER_MISSING',
    exitCode: 4,
    says: [/There is no folder .*app\.db to restore into/],
  })
})

it('an empty file is an empty database, and comes back as one', async (context) => {
  const { cwd, at } = await workplace(context)
  writeFileSync(at('empty.db'), '')
  const { last, warnings, ended } = await cliJson('backup', ['empty.db'], { cwd })
  assert.equal(last.backups[0]?.backup.databaseBytes, 0)
  assert.equal(ended.code, 3)
  assert.match(warnings.map(({ message }) => message).join(), /is an empty database.*Is it the right path\?/)
  await cliOk(['restore', 'empty', '--latest', '--to', 'restored.db'], { cwd })
  assert.equal(statSync(at('restored.db')).size, 0)
})

it('a database that may not be read is refused', async (context) => {
  const { cwd, at } = await workplace(context)
  chmodSync(cwd, 0o755)
  chmodSync(at('app.db'), 0o000)
  chmodSync(at('backups'), 0o000)
  // For root no mode forbids anything.
  const nobody = process.getuid?.() === 0 ? { uid: 65534 } : {}
  const { last: checks, ended } = await cliJson('doctor', ['app.db', '--repository', 'backups'], { cwd, ...nobody })
  assert.equal(ended.code, 1)
  const failed = checks.checks.filter(({ status }) => status === 'failure')
  assert.equal(failed.length, 2)
  for (const { message } of failed) assert.match(message, /den(y|ies|ied)/)
  chmodSync(at('backups'), 0o700)
})

it('a database that another program holds locked is not waited for beyond the timeout', async (context) => {
  const { cwd, at } = await workplace(context)
  makeDatabase(at('held.db'), { journal: 'delete' })
  using other = new DatabaseSync(at('held.db'))
  other.exec('BEGIN EXCLUSIVE')
  await refuses(cwd, ['backup', 'held.db', '--busy-timeout', '100ms'], {
    code: 'DATABASE_BUSY',
    exitCode: 6,
    says: [/held\.db/, /lock/, /--busy-timeout 30s/],
  })
})

it('two backups of one database at once: the second is refused, or waits', async (context) => {
  const { cwd, at } = await workplace(context)
  await using repository = await Repository.open(await openStorage(at('backups')))
  const lease = await Lease.acquire(repository.database('app'), { purpose: 'backup' })
  try {
    await refuses(cwd, ['backup', 'app.db'], {
      code: 'LEASE_HELD',
      exitCode: 6,
      says: [/app/, new RegExp(`process ${process.pid}`), /--wait/],
    })
    const waiting = cliOk(['backup', 'app.db', '--wait', '60s'], { cwd })
    setTimeout(() => void lease[Symbol.asyncDispose](), 1500)
    await waiting
  } finally {
    await lease[Symbol.asyncDispose]()
  }
  await using _ = await Lease.acquire(repository.database('app'), { purpose: 'backup' })
  const { code, stderr } = await cli(['compact', 'app'], { cwd })
  assert.equal(code, 6)
  assert.match(stderr, /Wait for it to end/)
  assert.doesNotMatch(stderr, /--wait/, 'it has no such option')
})

it('a file name that no repository can use gives a name that it can', async (context) => {
  const { cwd, at } = await workplace(context)
  makeDatabase(at('my app!.db'))
  const { last } = await cliJson('backup', ['my app!.db'], { cwd })
  assert.equal(last.backups[0]?.backup.database, 'my-app-')
  await cliOk(['restore', 'my app!.db', '--latest', '--to', 'out.db'], { cwd })
})

it('two databases whose files have one name are kept apart', async (context) => {
  const { cwd, at } = await workplace(context)
  mkdirSync(at('two'))
  makeDatabase(at('two', 'app.db'))
  const says = [/app/, /--database/]
  await refuses(cwd, ['backup', 'two/app.db'], { code: 'NAME_TAKEN', exitCode: 1, says })
  await refuses(cwd, ['backup', 'app.db', 'two/app.db'], { code: 'NAME_TAKEN', exitCode: 1, says })
  await refuses(cwd, ['follow', 'two/app.db', '--state', 'state'], { code: 'NAME_TAKEN', exitCode: 1, says })
  await cliOk(['backup', 'two/app.db', '--database', 'other-app'], { cwd })
})

it('a repository in a folder with other files is made, with a warning', async (context) => {
  const { cwd, at } = await workplace(context)
  mkdirSync(at('shared'))
  writeFileSync(at('shared', 'notes.txt'), 'mine')
  const { warnings, ended } = await cliJson('init', ['--repository', 'shared'], { cwd })
  assert.equal(ended.code, 3)
  assert.match(warnings.map(({ message }) => message).join(), /other files too: notes\.txt/)
  assert.equal(readFileSync(at('shared', 'notes.txt'), 'utf8'), 'mine')
})

it('what an init that was killed left is not taken for files of somebody else', async (context) => {
  const { cwd, at } = await workplace(context)
  mkdirSync(at('begun'))
  writeFileSync(at('begun', 'probe-0244c765ae974adc-basic'), '')
  await cliOk(['init', '--repository', 'begun'], { cwd })
})

it('a repository that is missing, half made, or of a newer version is told apart', async (context) => {
  const { cwd, at } = await workplace(context)
  await refuses(cwd, ['list', '--repository', 'nowhere'], {
    code: 'REPOSITORY_NOT_FOUND',
    exitCode: 4,
    says: [/nowhere/, /holdfast init/],
  })
  await refuses(cwd, ['init'], { code: 'REPOSITORY_EXISTS', exitCode: 1, says: [/backups/] })
  mkdirSync(at('half'))
  writeFileSync(at('half', 'RECOVERY.md'), 'an interrupted init')
  await refuses(cwd, ['list', '--repository', 'half'], {
    code: 'REPOSITORY_NOT_FOUND',
    exitCode: 4,
    says: [/interrupted/],
  })
  await cliOk(['init', '--repository', 'half'], { cwd })
  const place = { code: 'USAGE', exitCode: 2, says: [/app\.db is a file/, /Name a folder/] }
  await refuses(cwd, ['init', '--repository', 'app.db'], place)
  await refuses(cwd, ['init', '--repository', 'app.db/backups'], place)
  await refuses(cwd, ['init', '--repository', '/proc/nowhere/backups'], {
    code: 'STORAGE_DENIED',
    exitCode: 7,
    says: [/\/proc\/nowhere\/backups does not exist and cannot be made/],
  })
  writeFileSync(at('half', 'holdfast.json'), 'spilled coffee')
  await refuses(cwd, ['list', '--repository', 'half'], {
    code: 'INTEGRITY',
    exitCode: 5,
    says: [/holdfast\.json is damaged/, /back from a copy.*holdfast init/],
  })
  renameSync(at('backups', 'holdfast.json'), at('saved.json'))
  await refuses(cwd, ['list'], { code: 'INTEGRITY', exitCode: 5, says: [/holdfast\.json/] })
})

it('a parent must be known, and a backup of the same database', async (context) => {
  const { cwd, at } = await workplace(context)
  makeDatabase(at('other.db'))
  const { last } = await cliJson('backup', ['other.db'], { cwd })
  const id = last.backups[0]?.backup.id ?? ''
  const unknown = { code: 'BACKUP_NOT_FOUND', exitCode: 4 }
  await refuses(cwd, ['backup', 'app.db', '--parent', 'nothing'], { ...unknown, says: [/nothing/, /holdfast list/] })
  await refuses(cwd, ['backup', 'app.db', '--parent', id], { ...unknown, says: [new RegExp(id), /other/] })
  await refuses(cwd, ['show', 'zzz'], { ...unknown, says: [/zzz/] })
  await refuses(cwd, ['restore', 'nobody', '--latest', '--to', 'x.db'], {
    code: 'NAME_NOT_FOUND',
    exitCode: 4,
    says: [/app, other/],
  })
})

it('a restore never takes the place of what it should not', async (context) => {
  const { cwd, at } = await workplace(context)
  const restore = (target: string, ...more: string[]) => ['restore', 'app', '--latest', '--to', target, ...more]
  writeFileSync(at('there.db'), 'precious')
  await refuses(cwd, restore('there.db'), { code: 'TARGET_EXISTS', exitCode: 1, says: [/there\.db/, /--force/] })
  assert.equal(readFileSync(at('there.db'), 'utf8'), 'precious')
  await refuses(cwd, restore('there.db', '--dry-run'), { code: 'TARGET_EXISTS', exitCode: 1, says: [/there\.db/] })
  await refuses(cwd, restore('out.db-wal'), {
    code: 'USAGE',
    exitCode: 2,
    says: [/SQLite keeps beside a database/, /out\.db,/],
  })
  await refuses(cwd, restore('no/such/out.db'), { code: 'TARGET_FOLDER_MISSING', exitCode: 4, says: [/no\/such/] })
  using live = new DatabaseSync(at('app.db'))
  live.exec('BEGIN; SELECT * FROM users')
  for (const mode of ['--force', '--delta']) {
    await refuses(cwd, restore('app.db', mode), { code: 'TARGET_LIVE', exitCode: 6, says: [/app\.db/] })
  }
})

it('a restore never takes the place of what the repository keeps, but may go beside it', async (context) => {
  const { cwd, at } = await workplace(context)
  const [segment = ''] = globSync('backups/databases/app/segments/*-base.hfs', { cwd })
  symlinkSync(at('backups', 'holdfast.json'), at('link.db'))
  for (const target of ['backups/holdfast.json', 'link.db', segment, 'backups/databases/app/segments/new.db']) {
    await refuses(cwd, ['restore', 'app', '--latest', '--to', target, '--force'], {
      code: 'USAGE',
      exitCode: 2,
      says: [/keeps its own files/, /outside of the repository/],
    })
  }
  await cliOk(['restore', 'app', '--latest', '--to', 'backups/beside.db'], { cwd })
  await cliOk(['verify'], { cwd })
})

it('a time before the first backup, or after the last, names the nearest with a command for it', async (context) => {
  const { cwd } = await workplace(context)
  const restore = (time: string) => ['restore', 'app', '--at', time, '--to', 'out.db']
  await refuses(cwd, restore('2020-01-01'), {
    code: 'NOT_RESTORABLE',
    exitCode: 4,
    says: [/^2020-01-01 00:00:00\.000 \+01:00 .* is before the first/, /holdfast restore app --lsn 1 --to out\.db/],
  })
  await refuses(cwd, restore(new Date().toISOString()), {
    code: 'NOT_RESTORABLE',
    exitCode: 4,
    says: [/after the newest state/, /holdfast restore app --lsn 2 --to out\.db/],
  })
  await refuses(cwd, ['estimate', 'app', '--lsn', '77'], {
    code: 'NOT_RESTORABLE',
    exitCode: 4,
    says: [/77/, /holdfast estimate app --lsn 2/],
  })
  await refuses(cwd, ['restore', 'app', '--lsn', '1', '--before', '--to', 'out.db'], {
    code: 'NOT_RESTORABLE',
    exitCode: 4,
    says: [
      /^There is no state of app before LSN 1: the first that can be restored is LSN 1\.\n/,
      /holdfast restore app --lsn 1 --to/,
    ],
  })
})

it('a command that is offered works as it stands, also for a file whose name begins with a dash', async (context) => {
  const { cwd } = await workplace(context)
  makeDatabase(join(cwd, '-odd.db'))
  await cliOk(['backup', '--', '-odd.db'], { cwd })
  const { code, stderr } = await cli(['restore', '--lsn', '77', '--to=-out.db', '--', '-odd.db'], { cwd })
  assert.equal(code, 4, stderr)
  const [, offered = ''] = /^ {2}holdfast (.*?) {2}#/m.exec(stderr) ?? []
  await cliOk(offered.split(' '), { cwd })
  const estimate = await cli(['estimate', '--lsn', '77', '--', '-odd.db'], { cwd })
  assert.match(estimate.stderr, / {2}holdfast estimate odd --lsn 1 /)
})

it('a file that is not there is told of before anything is said of its backup', async (context) => {
  const { cwd } = await workplace(context)
  const { code, stderr } = await cli(['backup', 'nope.db'], { cwd })
  assert.equal(code, 4)
  assert.match(stderr, /^error: There is no file .*nope\.db\.\n/)
  const { ended } = await cliJsonError(['backup', 'nope.db'], { cwd })
  assert.doesNotMatch(ended.stdout + ended.stderr, /first backup/)
})

it('a restore to standard output is refused, not written to a file called "-"', async (context) => {
  const { cwd } = await workplace(context)
  const restore = (to: string) => ['restore', 'app', '--latest', '--to', to]
  await refuses(cwd, restore('-'), { code: 'USAGE', exitCode: 2, says: [/standard output/, /--to \.\/-/] })
  await cliOk(restore('./-'), { cwd })
  assert.ok(existsSync(join(cwd, '-')))
})

it('damage anywhere in the repository is found, named, and never restored', async (context) => {
  const base = await workplace(context)
  const { cwd, at } = base
  const [first = ''] = globSync('backups/databases/app/segments/*-base.hfs', { cwd })
  const [delta = ''] = globSync('backups/databases/app/segments/*-delta.hfs', { cwd })
  const [manifest = ''] = globSync('backups/databases/app/backups/*-full-*.json', { cwd })
  const original = readFileSync(at(first))
  const spoil: Record<string, () => void> = {
    'a flipped bit': () =>
      writeFileSync(at(first), Buffer.from(original.map((byte, index) => (index === 4000 ? byte ^ 1 : byte)))),
    'a truncated file': () => truncateSync(at(first), original.length - 100),
    'a deleted file': () => rmSync(at(first)),
    'two swapped files': () => {
      writeFileSync(at(first), readFileSync(at(delta)))
      writeFileSync(at(delta), original)
    },
  }
  const deltaBytes = readFileSync(at(delta))
  for (const [damage, spoilIt] of Object.entries(spoil)) {
    spoilIt()
    const { last, ended } = await cliJson('verify', [], { cwd })
    assert.deepEqual([ended.code, last.ok], [5, false], damage)
    assert.ok(
      last.findings.some(({ object }) => first.endsWith(object)),
      `${damage}: ${JSON.stringify(last.findings)}`,
    )
    const human = await cli(['verify'], { cwd })
    assert.match(
      human.stdout,
      /DAMAGE: .*\n.* cannot be restored: .*\nNo backup is known to be restorable.*\nThe newest good backup of a database is lost with that\. Make a full one now: holdfast backup .*app\.db --database app --type full\n[\s\S]*holdfast delete/,
      damage,
    )
    const refused = await cliJsonError(['restore', 'app', '--latest', '--to', 'out.db'], { cwd })
    assert.deepEqual([refused.last.exitCode, existsSync(at('out.db'))], [5, false], damage)
    writeFileSync(at(first), original)
    writeFileSync(at(delta), deltaBytes)
  }
  writeFileSync(at(manifest), readFileSync(at(manifest), 'utf8').replace('"lsn": 1', '"lsn": 2'))
  const listed = await cliJson('list', [], { cwd })
  assert.deepEqual([listed.ended.code, listed.warnings.length], [3, 1])
  assert.match(listed.warnings[0]?.message ?? '', /checksum/)
})

it('a command below another names the help of that command, and shows only options that apply to it', async () => {
  for (const [args, help] of [
    [['schedule', 'run'], 'holdfast schedule run --help'],
    [['audit', 'export'], 'holdfast audit export --help'],
    [['agents', 'forget'], 'holdfast agents forget --help'],
  ] as const) {
    const { code, stderr } = await cli(args)
    assert.equal(code, 2)
    assert.ok(stderr.includes(`See "${help}"`), stderr)
  }
  const { stdout } = await cliOk(['audit', 'verify', '--help'])
  assert.match(stdout, /--repository <place>/)
  assert.doesNotMatch(stdout, /--since|--user/)
  const { code, stderr } = await cli(['audit', 'verify', '--since', 'yesterday'])
  assert.equal(code, 2)
  assert.match(stderr, /--since does not go with this command/)
})
