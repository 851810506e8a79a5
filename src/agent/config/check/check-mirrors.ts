import { readSchedule } from '../resolve/read-schedule.ts'
import { resolveRepository } from '../resolve/repository-location.ts'
import { mirrorInput, resolveMirrorPlace } from '../resolve/resolve-mirrors.ts'
import { mirrorSchema } from '../schema/mirror-schema.ts'
import { isMapping } from '../schema/parse-what-is-right.ts'
import type { ConfigPath } from '../yaml/config-path.ts'
import { checkPlace } from './check-place.ts'
import { elementsOf } from './check-settings.ts'
import type { Reporter } from './reporter.ts'

/** @param folder that relative paths are in */
export function checkMirrors(
  raw: Readonly<Record<string, unknown>>,
  repository: string | undefined,
  folder: string,
  report: Reporter,
): void {
  const seen = new Map<string, number>()
  for (const [index, mirror] of elementsOf(raw, 'mirrors').entries()) {
    const { data } = mirrorSchema.safeParse(mirror)
    if (data === undefined) continue
    const path: ConfigPath = ['mirrors', index]
    const place = typeof data === 'string' ? path : [...path, 'to']
    for (const { field, message } of readSchedule(mirrorInput(data)).problems ?? [])
      report.value([...path, field], message)
    const { to, name } = resolveMirrorPlace(typeof data === 'string' ? data : data.to, folder)
    if (!checkPlace(to, place, report)) continue
    const before = seen.get(name)
    if (before !== undefined) report.value(place, `mirrors[${before}] is the same place.`)
    else seen.set(name, index)
    const problem = placeProblem(name, resolveMirrorPlace(resolveRepository(repository, folder), folder).name)
    if (problem !== undefined)
      report.value(place, `${problem} A mirror belongs in another place, best on another disk.`)
  }
  const { mirrors = [] } = raw
  if (Array.isArray(mirrors) && mirrors.length === 0) refuseSchedules(raw, report)
}

/** By their names alone; links are followed when it is mirrored. */
function placeProblem(mirror: string, repository: string): string | undefined {
  if (mirror === repository) return 'This is the repository itself.'
  if (!mirror.startsWith('file:') || !repository.startsWith('file:')) return undefined
  if (mirror.startsWith(`${repository}/`)) return 'This lies in the folder of the repository.'
  return repository.startsWith(`${mirror}/`) ? 'The repository lies in this folder.' : undefined
}

/** Schedules of databases that would mirror to nowhere. */
function refuseSchedules(raw: Readonly<Record<string, unknown>>, report: Reporter): void {
  const lists: (readonly [ConfigPath, unknown])[] = [
    [['defaults', 'schedules'], raw['defaults']],
    ...elementsOf(raw, 'databases').map((each, index) => [['databases', index, 'schedules'], each] as const),
  ]
  for (const [path, settings] of lists)
    for (const [index, schedule] of elementsOf(settings, 'schedules').entries())
      if (isMapping(schedule) && schedule['type'] === 'mirror')
        report.value([...path, index, 'type'], 'There is nowhere to mirror to: name a place in "mirrors".')
}
