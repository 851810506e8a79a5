import { counted, formatCount } from '../format/text.ts'
import { formatTime } from '../format/time.ts'
import type { ResultData } from '../json/schemas.ts'
import { backupTable } from './backup.ts'
import { lastDrillText } from './drill.ts'

type Listed = ResultData<'list'>['databases'][number]

export function listedText({ name, location, backups, followed, singleStates, lastDrill }: Listed): string {
  const title = `${name}${location === null ? '' : ` (${location})`}: ${counted(backups.length, 'backup')}`
  const lines = [
    title,
    ...(followed === null ? [] : [followedText(followed)]),
    ...(singleStates === null ? [] : [singleStatesText(singleStates)]),
    ...(lastDrill === null ? [] : [lastDrillText(lastDrill)]),
    ...(backups.length === 0 ? [] : [backupTable(backups)]),
  ]
  return lines.join('\n')
}

function followedText({ fromLsn, toLsn, fromTime, toTime, earlierWindows }: NonNullable<Listed['followed']>): string {
  const range = `${formatTime(Date.parse(fromTime))} to ${formatTime(Date.parse(toTime))}`
  const earlier = earlierWindows === 0 ? '' : `; ${counted(earlierWindows, 'earlier window')}`
  return `every commit from ${range}, LSN ${fromLsn} to ${toLsn}${earlier}`
}

function singleStatesText({ count, fromLsn, toLsn, fromTime, toTime }: NonNullable<Listed['singleStates']>): string {
  if (count === 1)
    return `one state that was followed, without a backup of it: ${formatTime(Date.parse(toTime))}, LSN ${toLsn}`
  const range = `${formatTime(Date.parse(fromTime))} to ${formatTime(Date.parse(toTime))}`
  return `${formatCount(count)} single states that were followed, from ${range}, LSN ${fromLsn} to ${toLsn}`
}
