/**
 * Compares Holdfast with other tools on generated databases, measures what following costs, and prints Markdown.
 *
 *     npm run bench -- [cases] [--size 0.1,1,10] [--repeat 3] [--scale 1]
 *
 * Cases: those of `contests` and `studies` below, and `recovery`; without one, all. `--only full,restore` names them too. Studies
 * and `recovery` use the first size only; `--scale` makes them longer.
 */
import { availableParallelism, cpus, release, type } from 'node:os'
import { parseArgs } from 'node:util'
import { agent } from './cases/agent.ts'
import { drain } from './cases/drain.ts'
import { fullBackup } from './cases/full.ts'
import { handOff } from './cases/hand-off.ts'
import { idle } from './cases/idle.ts'
import { incrementalBackup } from './cases/incremental.ts'
import { lag } from './cases/lag.ts'
import { logVolume } from './cases/log-volume.ts'
import { overhead } from './cases/overhead.ts'
import { recovery } from './cases/recovery.ts'
import { deltaRestore, restore } from './cases/restore.ts'
import { start } from './cases/start.ts'
import { verify } from './cases/verify.ts'
import { type Contest, runContest, type Standing } from './contest.ts'
import { benchData, originalDatabase } from './data.ts'
import { canMeasureMemory } from './measure.ts'
import { contestTable, markdownTable } from './report.ts'
import type { Setting } from './setting.ts'
import { findingsText, type Study, type StudySetting } from './study.ts'
import { judge, judgeRecovery, type Verdict } from './targets.ts'
import { type OtherTool, versionOf } from './tools.ts'
import { readOnce, Workspace } from './workspace.ts'

const contests: Readonly<Record<string, (setting: Setting) => Contest>> = {
  start,
  full: fullBackup,
  'incremental-1': (setting) => incrementalBackup(setting, 1),
  'incremental-10': (setting) => incrementalBackup(setting, 10),
  restore,
  'delta-restore': deltaRestore,
  verify,
}
const studies: readonly Study[] = [logVolume, overhead, handOff, drain, lag, idle, agent]

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    size: { type: 'string', multiple: true, default: ['0.1', '1'] },
    only: { type: 'string', multiple: true, default: [] },
    repeat: { type: 'string', default: '3' },
    scale: { type: 'string', default: '1' },
  },
})
const list = (given: readonly string[]) => given.flatMap((value) => value.split(','))
const sizes = list(values.size).map(Number)
const wanted = list([...positionals, ...values.only])
const repeat = Number(values.repeat)
const scale = Number(values.scale)
if (!sizes.every((size) => size > 0) || !(repeat >= 1) || !(scale > 0)) {
  throw new RangeError('--size takes gigabytes such as 0.1 or 1; --repeat a number of rounds, --scale a factor.')
}
const known = [...Object.keys(contests), ...studies.map(({ id }) => id), 'recovery']
const unknown = wanted.filter((id) => !known.includes(id))
if (unknown.length > 0) throw new RangeError(`There is no ${unknown.join(', ')}; there are ${known.join(', ')}.`)
const isWanted = (id: string) => wanted.length === 0 || wanted.includes(id)

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

const wantedContests = Object.entries(contests).filter(([id]) => isWanted(id))
if (wantedContests.length > 0)
  for (const gigabytes of sizes) await inWorkspace((workspace) => runContests(gigabytes, workspace))
if (known.some((id) => isWanted(id) && !Object.hasOwn(contests, id))) await inWorkspace(runStudies)

async function runContests(gigabytes: number, workspace: Workspace): Promise<void> {
  const data = benchData(gigabytes, note)
  const setting: Setting = { data, workspace, has: (tool) => versions.get(tool) !== undefined }
  const standings = new Map<string, Standing[]>()
  for (const [id, contestOf] of wantedContests) {
    for (const file of [data.original, data.changed[1].path, data.changed[10].path]) readOnce(file)
    standings.set(id, await run(contestOf(setting), workspace))
  }
  printVerdicts(`Targets, ${gigabytes} GB`, 'target (stated for 1 GB)', judge(setting, standings))
}

async function runStudies(workspace: Workspace): Promise<void> {
  const original = originalDatabase(sizes[0] ?? 0.1, note)
  const setting: StudySetting = { original, workspace, scale, note }
  const verdicts: Verdict[] = []
  for (const study of studies.filter(({ id }) => isWanted(id))) {
    readOnce(original)
    const findings = await study.run(setting)
    print(findingsText(study.title, findings))
    verdicts.push(...findings.verdicts)
  }
  if (isWanted('recovery')) verdicts.push(judgeRecovery(await run(recovery(setting), workspace), scale))
  printVerdicts('Targets of following', 'target', verdicts)
}

async function run(contest: Contest, { folder }: Workspace): Promise<Standing[]> {
  const standings = await runContest(contest, { repeat, folder, note })
  print(contestTable(contest, standings))
  return standings
}

function printVerdicts(title: string, head: string, verdicts: readonly Verdict[]): void {
  if (verdicts.length === 0) return
  const rows = verdicts.map(({ target, measured, met }) => [target, measured, met ? 'met' : 'not met'])
  print(`### ${title}\n\n${markdownTable([head, 'measured', ''], rows)}`)
}

async function inWorkspace(work: (workspace: Workspace) => Promise<void>): Promise<void> {
  using workspace = new Workspace()
  const remove = () => workspace[Symbol.dispose]()
  process.on('exit', remove)
  await work(workspace)
  process.removeListener('exit', remove)
}
