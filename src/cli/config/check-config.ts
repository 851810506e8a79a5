import { join } from 'node:path'
import { agentFolder } from '../../agent/agent-parts.ts'
import { findNobody } from '../../agent/config/check/find-nobody.ts'
import { findNothing } from '../../agent/config/check/find-nothing.ts'
import type { Config } from '../../agent/config/config.ts'
import { Excerpts } from '../../agent/config/excerpt.ts'
import { loadConfig } from '../../agent/config/load-config.ts'
import { beginHint } from '../../agent/config/problem.ts'
import { pathText } from '../../agent/config/yaml/config-path.ts'
import { NameBook } from '../../agent/discovery/name-book.ts'
import { exitCodes, hasCode } from '../../errors.ts'
import { counted } from '../format/text.ts'
import { problemText } from '../present/config.ts'
import type { Outcome } from '../session.ts'

export async function checkConfig(path: string): Promise<Outcome<'config check'>> {
  const loaded = await loadConfig(path)
  const { problems = [], text } = loaded
  const data = {
    file: path,
    ok: problems.length === 0,
    problems: problems.map(({ file: _file, isHarmless: _isHarmless, ...problem }) => problem),
  }
  // Of a file that could not be read there is no text.
  const excerpts = text === '' ? undefined : new Excerpts(text)
  if (loaded.value !== undefined) {
    const { value, locate } = loaded
    const notes = [...(await findNothing(value)), ...findNobody(value, await knownNames(value))].map(
      ({ path, message }) => {
        return { path: pathText(path), ...locate(path), message }
      },
    )
    const { databases, notify } = value
    const schedules = databases.reduce((sum, database) => sum + database.schedules.length, 0)
    const facts = [
      counted(databases.length, 'database or pattern', 'databases or patterns'),
      counted(schedules, 'schedule'),
      counted(notify.length, 'way to be told', 'ways to be told'),
    ]
    const shown = notes.map((note) => problemText({ file: path, isHarmless: true, ...note }, excerpts))
    const verdict = `${path} is fine: ${facts.join(', ')}.`
    return { data: { ...data, notes }, text: [verdict, ...shown].join('\n\n'), brief: '' }
  }
  const count = counted(problems.length, 'problem')
  const shown = problems.map((problem) => problemText(problem, excerpts)).join('\n\n')
  return {
    data: { ...data, notes: [] },
    text:
      loaded.isMissing === true ? `There is no file ${path}. ${beginHint(path)}` : `${shown}\n\n${count} in ${path}.`,
    exitCode: exitCodes.usage,
  }
}

/** As the agent has given them. Whoever may not see that is told by the configuration alone. */
async function knownNames(config: Config): Promise<Pick<NameBook, 'nameOf'>> {
  try {
    return await NameBook.read(join(agentFolder(config), 'names.json'), () => {})
  } catch (error) {
    if (!hasCode(error, 'ACCESS_DENIED')) throw error
    return { nameOf: (_path, wanted) => wanted }
  }
}
