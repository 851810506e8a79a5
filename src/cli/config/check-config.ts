import { loadConfig } from '../../agent/config/load-config.ts'
import { exitCodes } from '../../errors.ts'
import { counted } from '../format/text.ts'
import { problemText } from '../present/config.ts'
import type { Outcome } from '../session.ts'

export async function checkConfig(path: string): Promise<Outcome<'config check'>> {
  const { value, problems = [], text } = await loadConfig(path)
  const data = {
    file: path,
    ok: problems.length === 0,
    problems: problems.map(({ file: _file, ...problem }) => problem),
  }
  if (value !== undefined) {
    const { databases, notify } = value
    const schedules = databases.reduce((sum, database) => sum + database.schedules.length, 0)
    const facts = [
      counted(databases.length, 'database or pattern', 'databases or patterns'),
      counted(schedules, 'schedule'),
      counted(notify.length, 'way to be told', 'ways to be told'),
    ]
    return { data, text: `${path} is fine: ${facts.join(', ')}.`, brief: '' }
  }
  const count = counted(problems.length, 'problem')
  return {
    data,
    text: `${problems.map((problem) => problemText(problem, text)).join('\n\n')}\n\n${count} in ${path}.`,
    exitCode: exitCodes.usage,
  }
}
