/**
 * Compares Holdfast with other tools on generated databases, all in one run, and prints Markdown.
 *
 *     npm run bench -- [--size 0.1,1,10] [--only full,restore,…] [--repeat 3]
 */
import { availableParallelism, cpus, release, type } from 'node:os'
import { parseArgs } from 'node:util'
import { fullBackup } from './cases/full.ts'
import { incrementalBackup } from './cases/incremental.ts'
import { deltaRestore, restore } from './cases/restore.ts'
import { start } from './cases/start.ts'
import { verify } from './cases/verify.ts'
import { type Contest, runContest, type Standing } from './contest.ts'
import { benchData } from './data.ts'
import { canMeasureMemory } from './measure.ts'
import { contestTable, markdownTable } from './report.ts'
import type { Setting } from './setting.ts'
import { judge } from './targets.ts'
import { type OtherTool, versionOf } from './tools.ts'
import { readOnce, Workspace } from './workspace.ts'

const { values } = parseArgs({
  options: {
    size: { type: 'string', multiple: true, default: ['0.1', '1'] },
    only: { type: 'string', multiple: true, default: [] },
    repeat: { type: 'string', default: '3' },
  },
})
const list = (given: readonly string[]) => given.flatMap((value) => value.split(','))
const sizes = list(values.size).map(Number)
const only = list(values.only)
const repeat = Number(values.repeat)
if (!sizes.every((size) => size > 0) || !(repeat >= 1)) {
  throw new RangeError('--size takes gigabytes such as 0.1 or 1; --repeat a number of rounds.')
}

const note = (line: string) => process.stderr.write(`${line}\n`)
const print = (text: string) => process.stdout.write(`${text}\n\n`)

const versions = new Map<OtherTool, string | undefined>(
  (['sqlite3', 'zstd', 'restic'] as const).map((tool) => [tool, versionOf(tool)]),
)
print(
  [
    `${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${type()} ${release()}, Node.js ${process.versions.node}.`,
    ...[...versions].map(([tool, version]) =>
      version ? `${tool} ${version}.` : `Without ${tool}: it is not installed.`,
    ),
    `Page cache warm for all alike; ${repeat} interleaved rounds.`,
    canMeasureMemory ? '' : 'Without processor time and memory: GNU time is not at /usr/bin/time.',
  ]
    .join(' ')
    .trim(),
)

// An interrupted run must leave nothing behind either; a second signal ends it at once.
process.once('SIGINT', () => process.exit(130))
process.once('SIGTERM', () => process.exit(143))

for (const gigabytes of sizes) {
  const data = benchData(gigabytes, note)
  using workspace = new Workspace()
  const removeWorkspace = () => workspace[Symbol.dispose]()
  process.on('exit', removeWorkspace)
  const setting: Setting = { data, workspace, has: (tool) => versions.get(tool) !== undefined }
  const standings = new Map<string, Standing[]>()
  for (const contest of contestsOf(setting)) {
    for (const file of [data.original, data.changed[1].path, data.changed[10].path]) readOnce(file)
    const result = runContest(contest, { repeat, folder: workspace.folder, note })
    standings.set(contest.id, result)
    print(contestTable(contest, result))
  }
  const verdicts = judge(setting, standings).map(({ target, measured, met }) => [
    target,
    measured,
    met ? 'met' : 'not met',
  ])
  if (verdicts.length > 0) {
    print(`### Targets, ${gigabytes} GB\n\n${markdownTable(['target (stated for 1 GB)', 'measured', ''], verdicts)}`)
  }
  process.removeListener('exit', removeWorkspace)
}

function contestsOf(setting: Setting): Contest[] {
  const all = [
    start(setting),
    fullBackup(setting),
    incrementalBackup(setting, 1),
    incrementalBackup(setting, 10),
    restore(setting),
    deltaRestore(setting),
    verify(setting),
  ]
  const unknown = only.filter((id) => !all.some((contest) => contest.id === id))
  if (unknown.length > 0) {
    throw new RangeError(`There is no ${unknown.join(', ')}; there are ${all.map(({ id }) => id).join(', ')}.`)
  }
  return only.length === 0 ? all : all.filter(({ id }) => only.includes(id))
}
