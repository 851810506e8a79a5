import { z } from 'zod'
import { resolveRepository } from '../resolve/repository-location.ts'
import { rootShape } from '../schema/config-schema.ts'
import { hookSchema } from '../schema/hook-schema.ts'
import { isMapping, parseWhatIsRight } from '../schema/parse-what-is-right.ts'
import { checkDatabases } from './check-databases.ts'
import { checkHook } from './check-hook.ts'
import { checkMirrors } from './check-mirrors.ts'
import { checkNotify } from './check-notify.ts'
import { checkPlace } from './check-place.ts'
import { checkServer } from './check-server.ts'
import { checkSettings, checkTimeZone, elementsOf } from './check-settings.ts'
import type { Reporter } from './reporter.ts'

const rightParts = z.strictObject(rootShape).partial()

/** What the form alone does not tell, also of the parts beside those that have a wrong form. */
export function checkConfig(raw: unknown, folder: string, report: Reporter): void {
  if (!isMapping(raw)) return
  const { timeZone, server, repository, defaults = {} } = parseWhatIsRight(rightParts, raw) ?? {}
  if (timeZone !== undefined) checkTimeZone(timeZone, ['timeZone'], report)
  if (repository !== undefined) checkPlace(resolveRepository(repository, folder), ['repository'], report)
  checkServer(server, report)
  checkSettings(defaults, raw['defaults'], ['defaults'], report)
  checkDatabases(elementsOf(raw, 'databases'), defaults, raw['defaults'], folder, report)
  checkMirrors(raw, repository, folder, report)
  checkNotify(elementsOf(raw, 'notify'), report)
  for (const [index, hook] of elementsOf(raw, 'hooks').entries()) {
    const { data } = hookSchema.safeParse(hook)
    if (data !== undefined) checkHook(data, ['hooks', index], report)
  }
}
