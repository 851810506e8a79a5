#!/usr/bin/env node
// Runs one step of the project's work: `node scripts/run.mjs <step> [arguments]`, which is what `npm run <step>` does.
// Plain JavaScript without imports of its own: on a fresh clone, under an older Node.js, this is all that can run. It
// installs the dependencies when they are missing or not those of package-lock.json, then hands over to the Node.js
// that the project is developed on.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const modules = join(root, 'node_modules')
const windows = process.platform === 'win32'

const biome = join(modules, '@biomejs', 'biome', 'bin', 'biome')
const tsc = join(modules, 'typescript', 'bin', 'tsc')
const script = (name) => join(root, 'scripts', name)
// `biome ci` colours its output wherever it goes.
const plain = process.stdout.isTTY ? [] : ['--colors=off']
const freshBuild = [script('build.ts'), '--if-stale']

/** Each step is a list of commands, run one after the other until one fails. */
const steps = {
  test: (args) => [
    // A part of the tests can run while another part of the tree does not type-check; the whole of them cannot.
    args.length > 0 ? [...freshBuild, '--despite-type-errors'] : freshBuild,
    [script('test.ts'), ...args],
  ],
  build: (args) => [[script('build.ts'), ...args]],
  lint: (args) => [
    [biome, 'ci', '--error-on-warnings', ...plain, ...args],
    [script('check-imports.ts'), ...args],
  ],
  format: (args) => [[biome, 'check', '--write', '--linter-enabled=false', ...args]],
  typecheck: (args) => [[tsc, '--project', join(root, 'tsconfig.json'), ...args]],
  'check-package': (args) => [freshBuild, [script('check-package.ts'), ...args]],
  'check-container': (args) => [[script('check-container.ts'), ...args]],
  quickstart: (args) => [freshBuild, [script('quickstart.mjs'), ...args]],
  soak: (args) => [[script('soak.ts'), ...args]],
  bench: (args) => [freshBuild, [join(root, 'bench', 'main.ts'), ...args]],
}

const [step, ...args] = process.argv.slice(2)
if (!Object.hasOwn(steps, step ?? ''))
  fail(`Unknown step "${step ?? ''}": expected one of ${Object.keys(steps).join(', ')}.`)

if (!installed()) install()
const node = findNode()
const path = [join(modules, '.bin'), process.env.PATH ?? ''].join(delimiter)
for (const command of steps[step](args)) {
  const result = spawnSync(node, command, { cwd: root, stdio: 'inherit', env: { ...process.env, PATH: path } })
  if (result.error) fail(`Could not start ${node}: ${result.error.message}`)
  if (result.status !== 0) process.exit(result.status ?? 1)
}

/** Compares what package-lock.json wants with npm's own record of what it installed; packages of other platforms are not there. */
function installed() {
  const record = join(modules, '.package-lock.json')
  if (!existsSync(record)) return false
  const wanted = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')).packages
  const present = JSON.parse(readFileSync(record, 'utf8')).packages
  return Object.entries(wanted).every(([name, { version, integrity, optional, link }]) => {
    if (!name.startsWith('node_modules/') || link) return true
    const found = present[name]
    return found ? found.version === version && found.integrity === integrity : optional === true
  })
}

function install() {
  console.error('Installing the dependencies that package-lock.json names …')
  const options = ['ci', '--include=dev', '--include=optional', '--no-fund', '--no-audit']
  const npm = process.env.npm_execpath
  const [command, first] = npm && /\.[cm]?js$/.test(npm) ? [process.execPath, [npm]] : ['npm', []]
  // Its output is not the step's output.
  const stdio = ['ignore', process.stderr, process.stderr]
  const result = spawnSync(command, [...first, ...options], { cwd: root, stdio, shell: windows && command === 'npm' })
  if (result.error || result.status !== 0) fail('npm ci failed, so nothing was run.')
}

/** HOLDFAST_NODE when given, else the oldest supported Node.js as installed by npm, else the one that runs this. */
function findNode() {
  if (process.env.HOLDFAST_NODE) return process.env.HOLDFAST_NODE
  const folder = `node-${windows ? 'win' : process.platform}-${process.arch}`
  const bundled = join(modules, folder, 'bin', windows ? 'node.exe' : 'node')
  if (existsSync(bundled) && spawnSync(bundled, ['--version']).status === 0) return bundled
  if (Number(process.versions.node.split('.')[0]) >= 24) return process.execPath
  return fail(
    `Holdfast is developed with Node.js 24 or newer; npm has none for this platform, and this is ${process.version}.`,
  )
}

function fail(message) {
  console.error(message)
  process.exit(1)
}
