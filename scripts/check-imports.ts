/**
 * The one-way import rule: which part of src/ may know which, and what the pure parts may touch. Type imports count.
 *
 *     npm run lint
 *     node scripts/check-imports.ts [paths]      reports only what is wrong below these paths
 */
import { globSync, readFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, relative, sep } from 'node:path'
import { type Node, parseSync, Visitor } from 'oxc-parser'
import { mayImport } from './layers.ts'

/** Parts that import no package and no built-in module, and have no clock, no randomness and no I/O. */
const pureParts = ['history']
const impureGlobals = ['process', 'performance', 'crypto', 'globalThis', 'console']
const impureCalls = ['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch', 'Date']
const impureMembers = ['Date.now', 'Math.random']

/** Built-in modules that only these folders may use. Two SQLite engines on one database in a process would corrupt it. */
const reserved: Record<string, readonly string[]> = {
  'node:sqlite': ['source/sqlite', 'storage/local', 'agent/journal'],
  'node:test': ['conformance'],
}

const root = join(import.meta.dirname, '..')
const { dependencies, optionalDependencies, peerDependencies } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
)
const packages = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })

const wanted = process.argv.slice(2).map((path) => relative(root, join(process.cwd(), path)))
const problems = globSync('src/**/*.{ts,tsx,mts}', { cwd: root })
  .filter((file) => wanted.length === 0 || wanted.some((path) => file === path || isBelow(path, file)))
  .sort()
  .flatMap(check)
for (const problem of problems) console.error(problem)
if (problems.length > 0) {
  console.error(`${problems.length} against the rules of CONTRIBUTING.md, "Layers".`)
  process.exitCode = 1
}

function check(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8')
  const part = partOf(file)
  const { program } = parseSync(file, text)
  const found: string[] = []
  const report = ({ start }: Node, message: string | undefined): void => {
    if (message) found.push(`${file}:${text.slice(0, start).split('\n').length} ${message}`)
  }
  const source = (node: Node | null): void => {
    if (node === null) return
    const isPlain = node.type === 'Literal' && typeof node.value === 'string'
    report(node, isPlain ? wrongImport(file, part, `${node.value}`) : 'imports what its text does not tell')
  }
  if (!(part in mayImport)) found.push(`${file}:1 src/${part} is not in the table of scripts/layers.ts`)

  const isPure = pureParts.includes(part)
  new Visitor({
    ImportDeclaration: (node) => source(node.source),
    ExportAllDeclaration: (node) => source(node.source),
    ExportNamedDeclaration: (node) => source(node.source),
    ImportExpression: (node) => source(node.source),
    TSImportType: (node) => source(node.source),
    Literal: (node) => {
      // Reached without an import, as by process.getBuiltinModule or require.
      if (node.value === 'node:sqlite') report(node, reservedElsewhere(file, node.value))
    },
    MemberExpression: (node) => {
      const { object, property } = node
      if (!isPure || object.type !== 'Identifier' || property.type !== 'Identifier') return
      const name = `${object.name}.${property.name}`
      if (impureMembers.includes(name) || impureGlobals.includes(object.name)) report(node, impure(part, name))
    },
    CallExpression: (node) => {
      const { callee } = node
      if (isPure && callee.type === 'Identifier' && impureCalls.includes(callee.name))
        report(node, impure(part, callee.name))
    },
    NewExpression: (node) => {
      const { callee, arguments: values } = node
      if (isPure && callee.type === 'Identifier' && callee.name === 'Date' && values.length === 0)
        report(node, impure(part, 'new Date()'))
    },
  }).visit(program)
  return [...new Set(found)]
}

function wrongImport(file: string, part: string, specifier: string): string | undefined {
  if (specifier.startsWith('.')) {
    const target = join(dirname(file), specifier)
    if (!isBelow('src', target)) return `src/ imports ${target}, which is not part of the package`
    const other = partOf(target)
    if (other === part || mayImport[part]?.includes(other)) return undefined
    return `src/${part} must not import src/${other}`
  }
  if (pureParts.includes(part)) return `src/${part} imports nothing outside itself, but here ${specifier}`
  if (isBuiltin(specifier)) return reservedElsewhere(file, specifier)
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
  return packages.includes(name)
    ? undefined
    : `${name} is not among the dependencies of package.json that users install`
}

function reservedElsewhere(file: string, specifier: string): string | undefined {
  const folders = reserved[specifier]
  if (!folders || folders.some((folder) => isBelow(join('src', folder), file))) return undefined
  return `only ${folders.map((folder) => `src/${folder}`).join(' and ')} may use ${specifier}`
}

function impure(part: string, name: string): string {
  return `src/${part} is pure: ${name} belongs to the caller`
}

/** src/storage/local/x.ts → storage; src/errors.ts → errors. */
function partOf(file: string): string {
  const [, name = ''] = file.split(sep)
  return name.replace(/\.ts$/, '')
}

function isBelow(folder: string, file: string): boolean {
  const path = relative(folder, file)
  return path !== '' && path !== '..' && !path.startsWith(`..${sep}`)
}
