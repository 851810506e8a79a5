/**
 * Checks the package as its users get it: packs it as a fresh clone would, lets publint and Are The Types Wrong judge the
 * archive, then installs it in an empty project and loads it there.
 */
import { spawnSync } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join, posix } from 'node:path'

const root = join(import.meta.dirname, '..')
const { name, version, files, exports, bin } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const scratch = mkdtempSync(join(tmpdir(), 'holdfast-package-'))
const project = join(scratch, 'project')

process.on('exit', () => rmSync(scratch, { recursive: true, force: true }))

const missing = files.filter((file: string) => !existsSync(join(root, file)))
if (missing.length > 0) fail(`package.json promises files that do not exist: ${missing.join(', ')}`)

npm(cloned(), 'pack', '--silent', '--pack-destination', scratch)
const archive = join(scratch, `${name}-${version}.tgz`)
node(root, 'node_modules/publint/src/cli.js', 'run', archive, '--strict')
node(root, 'node_modules/@arethetypeswrong/cli/dist/index.js', archive, '--profile', 'esm-only')

mkdirSync(project)
writeFileSync(join(project, 'package.json'), JSON.stringify({ name: 'project', private: true, type: 'module' }))
npm(project, 'install', '--no-fund', '--no-audit', '--prefer-offline', archive)
const unwanted = readdirSync(join(project, 'node_modules')).filter((folder) => /^(node|holdfast)-/.test(folder))
if (unwanted.length > 0) fail(`Users would install what only development needs: ${unwanted.join(', ')}`)
for (const entry of Object.keys(exports)) {
  const attributes = entry.endsWith('.json') ? ", { with: { type: 'json' } }" : ''
  node(project, '--input-type=module', '--eval', `await import('${posix.join(name, entry)}'${attributes})`)
}
node(project, join('node_modules', name, bin.holdfast), '--version')
console.log(`${name} ${version} can be packed, installed and loaded.`)

/** A copy without what was built: packing it has to build. */
function cloned(): string {
  const clone = join(scratch, 'clone')
  const made = /^(\.git|\.?dist.*|node_modules)$/
  cpSync(root, clone, {
    recursive: true,
    filter: (path) => dirname(path) !== root || !made.test(basename(path)),
  })
  symlinkSync(join(root, 'node_modules'), join(clone, 'node_modules'), 'junction')
  return clone
}

function npm(cwd: string, ...args: string[]): void {
  // On Windows npm is a batch file, which only a shell can start.
  run(cwd, 'npm', args, process.platform === 'win32')
}

function node(cwd: string, ...args: string[]): void {
  run(cwd, process.execPath, args, false)
}

function run(cwd: string, command: string, args: string[], shell: boolean): void {
  const { status, error } = spawnSync(command, args, { cwd, shell, stdio: ['ignore', 'inherit', 'inherit'] })
  if (error) throw error
  if (status !== 0) fail(`Failed: ${command} ${args.join(' ')}`)
}

function fail(message: string): never {
  console.error(message)
  process.exit(1)
}
