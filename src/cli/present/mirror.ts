import { failureText, soundText } from '../../agent/journal/mirror-ending.ts'
import { formatBytes } from '../format/bytes.ts'
import { formatDuration } from '../format/duration.ts'
import { formatFacts } from '../format/table.ts'
import { counted } from '../format/text.ts'
import { formatTime } from '../format/time.ts'
import type { ResultData } from '../json/schemas.ts'

type Mirrored = ResultData<'mirror'>['mirrors'][number]

const mostShown = 20

export function mirrorText({ dryRun, mirrors }: ResultData<'mirror'>): string {
  return mirrors.map((each) => oneText(each, dryRun)).join('\n\n')
}

function oneText(mirror: Mirrored, dryRun: boolean): string {
  const { copied, deleted, waiting, healed, findings, failures, completeAt, durationMs } = mirror
  const verb = dryRun ? 'would be ' : ''
  const facts: (readonly [string, string])[] = [
    [
      `${verb}copied`,
      copied.objects === 0 ? 'nothing new' : `${counted(copied.objects, 'object')}, ${formatBytes(copied.bytes)}`,
    ],
  ]
  if (healed.length > 0) facts.push([`${verb}replaced`, `${counted(healed.length, 'damaged object')}`])
  if (deleted.length > 0) {
    const bytes = deleted.reduce((sum, object) => sum + object.bytes, 0)
    facts.push([`${verb}deleted`, `${counted(deleted.length, 'object')}, ${formatBytes(bytes)}`])
  }
  const [first] = waiting.map(({ until }) => Date.parse(until)).sort((a, b) => a - b)
  if (first !== undefined)
    facts.push(['to be deleted', `${counted(waiting.length, 'object')}, from ${formatTime(first)} on`])
  facts.push(['complete as of', completeAt === null ? 'never yet' : formatTime(Date.parse(completeAt))])
  const wrong = [
    ...failures.map((failure) => `- ${failureText(failure)}${failure.hint === null ? '' : ` ${failure.hint}`}`),
    ...findings.map((finding) => {
      const text = soundText({ ...finding, soundCopy: finding.soundCopy ?? undefined })
      return `- ${finding.object}: ${finding.problem}${text}`
    }),
  ]
  const more = wrong.length > mostShown ? [`- and ${wrong.length - mostShown} more`] : []
  return [headline(mirror, dryRun, durationMs), formatFacts(facts), ...wrong.slice(0, mostShown), ...more].join('\n')
}

function headline({ mirror, complete, isNew }: Mirrored, dryRun: boolean, durationMs: number): string {
  if (dryRun) return isNew ? `Would begin a mirror at ${mirror}.` : `Would bring the mirror at ${mirror} up to date.`
  const took = ` in ${formatDuration(durationMs)}`
  if (!complete) return `The mirror at ${mirror} is NOT COMPLETE, after ${formatDuration(durationMs)}:`
  return isNew ? `Made a mirror at ${mirror},${took}.` : `The mirror at ${mirror} is up to date,${took}.`
}

export function promotedText({
  url,
  formerSource,
  completeAt,
  databases,
}: NonNullable<ResultData<'mirror'>['promoted']>): string {
  const facts = formatFacts([
    ['place', url],
    ['was a mirror of', formerSource],
    ['holds all as of', completeAt === null ? 'never known to be complete' : formatTime(Date.parse(completeAt))],
    ['databases', databases.length === 0 ? 'none' : databases.join(', ')],
  ])
  return `This is a repository of its own now.\n${facts}\n\nNext: name it as the repository where the other one was named. If the other one comes back, do not write to both.`
}
