/**
 * Compiles src/ into dist/. The new folder is made beside the old one and then takes its place, so that a program that
 * runs from dist/ meanwhile never sees half a build.
 *
 * `--if-stale` does nothing when dist/ is newer than everything it is made from.
 * `--despite-type-errors` keeps what was compiled in spite of them, and calls it stale.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const root = join(import.meta.dirname, '..')
const dist = join(root, 'dist')
const inputs = ['src', 'package-lock.json', 'tsconfig.base.json', 'tsconfig.build.json']
const { values: options } = parseArgs({
  options: { 'if-stale': { type: 'boolean' }, 'despite-type-errors': { type: 'boolean' } },
})

if (!options['if-stale'] || newest(inputs) > builtAt()) process.exitCode = build()

function build(): number {
  const started = new Date()
  const fresh = join(root, `.dist-${process.pid}`)
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  const { status } = spawnSync(
    process.execPath,
    [tsc, '--project', join(root, 'tsconfig.build.json'), '--outDir', fresh],
    { stdio: 'inherit' },
  )
  const usable = status === 0 || (options['despite-type-errors'] === true && existsSync(fresh))
  if (!usable) {
    rmSync(fresh, { recursive: true, force: true })
    return status || 1
  }
  if (status !== 0) console.error('Built in spite of these type errors.')
  // The folder's own time says which state of src/ it shows: that of when the build began, or none.
  const shows = status === 0 ? started : new Date(0)
  utimesSync(fresh, shows, shows)
  replace(dist, fresh)
  return 0
}

/** Puts `fresh` where `old` is; when another build does so at the same moment, the last one stays. */
function replace(old: string, fresh: string): void {
  for (let attempt = 0; ; attempt++) {
    const aside = `${fresh}-old-${attempt}`
    if (existsSync(old)) renameSync(old, aside)
    try {
      renameSync(fresh, old)
      return
    } catch (error) {
      if (attempt === 9) throw error
    } finally {
      rmSync(aside, { recursive: true, force: true })
    }
  }
}

function builtAt(): number {
  return existsSync(dist) ? statSync(dist).mtimeMs : 0
}

/** The latest modification below these paths; a folder's own time tells of a deleted file. */
function newest(names: string[]): number {
  const times = names.flatMap((name) => {
    const path = join(root, name)
    const below = statSync(path).isDirectory() ? readdirSync(path, { recursive: true, encoding: 'utf8' }) : []
    return [path, ...below.map((entry) => join(path, entry))].map((file) => statSync(file).mtimeMs)
  })
  return Math.max(...times)
}
