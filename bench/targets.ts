/** The targets of the design beside what was measured. */

import type { Standing } from './contest.ts'
import { best, peakBytes } from './report.ts'
import type { Setting } from './setting.ts'
import { names } from './setting.ts'

export interface Verdict {
  readonly target: string
  readonly measured: string
  readonly met: boolean
}

type Standings = ReadonlyMap<string, readonly Standing[]>

/** Those targets that the contests which ran can tell of. They are stated for 1 GB on two cores. */
export function judge({ data }: Setting, standings: Standings): Verdict[] {
  const of = (contest: string, name: string) => standings.get(contest)?.find((standing) => standing.name === name)
  const ratio = (contest: string, ours: string, theirs: string): number | undefined => {
    const [a, b] = [of(contest, ours), of(contest, theirs)]
    return a && b && best(a) / best(b)
  }
  const verdicts: (Verdict | undefined)[] = [
    atMost('full backup, uncompressed ≤ 2.5 × cp', ratio('full', names.fullPlain, names.copy), 2.5),
    atMost('… with the default checks', ratio('full', names.fullPlainChecked, names.copy), 2.5),
    atMost('full backup, compressed: at the speed of zstd -1 -T2', ratio('full', names.fullZstd, names.zstd), 1),
    atMost('… with the default checks', ratio('full', names.fullZstdChecked, names.zstd), 1),
    atLeast(
      'full backup, compressed ≥ 2 × faster than restic',
      ratio('full', names.resticCompressed, names.fullZstd),
      2,
    ),
    atLeast('… with the default checks', ratio('full', names.resticCompressed, names.fullZstdChecked), 2),
    atMost('restore, state checksum proved ≤ 2 × cp', ratio('restore', names.restoreBare, names.copy), 2),
    atMost('… with integrity_check (default)', ratio('restore', names.restoreDefault, names.copy), 2),
    seconds(data.gigabytes, of('incremental-10', names.incremental)),
    storedAtMost(of('incremental-10', names.incremental), of('incremental-10', names.changesAlone)),
    memory(standings),
  ]
  return verdicts.filter((verdict) => verdict !== undefined)
}

/** Of what is measured on one size only. The same commits after a larger base take as long. */
export function judgeRecovery(standings: readonly Standing[], scale: number): Verdict {
  const limit = 3 * scale
  const of = (name: string) => standings.find((standing) => standing.name === name)
  const [base, newest] = [of(names.recoverBase), of(names.recoverNewest)]
  const beyond = base && newest ? best(newest) - best(base) : Number.NaN
  return {
    target: `recovery ≤ ${limit.toFixed(1)} s beyond the base`,
    measured: `${beyond.toFixed(2)} s`,
    met: beyond <= limit,
  }
}

function atMost(target: string, ratio: number | undefined, limit: number): Verdict | undefined {
  return ratio === undefined ? undefined : { target, measured: `${ratio.toFixed(2)} ×`, met: ratio <= limit }
}

function atLeast(target: string, ratio: number | undefined, limit: number): Verdict | undefined {
  return ratio === undefined ? undefined : { target, measured: `${ratio.toFixed(2)} ×`, met: ratio >= limit }
}

function seconds(gigabytes: number, standing: Standing | undefined): Verdict | undefined {
  if (standing === undefined) return undefined
  const limit = 2 * gigabytes
  return {
    target: `incremental, 10 % of ${gigabytes} GB changed ≤ ${limit} s`,
    measured: `${best(standing).toFixed(2)} s`,
    met: best(standing) <= limit,
  }
}

function storedAtMost(ours: Standing | undefined, floor: Standing | undefined): Verdict | undefined {
  if (ours?.storedBytes === undefined || floor?.storedBytes === undefined) return undefined
  return {
    target: 'incremental, stored ≤ the changed pages compressed',
    measured: `${(ours.storedBytes / 1e6).toFixed(1)} of ${(floor.storedBytes / 1e6).toFixed(1)} MB`,
    met: ours.storedBytes <= floor.storedBytes,
  }
}

function memory(standings: Standings): Verdict | undefined {
  const ours = [...standings.values()].flat().filter(({ name }) => name.startsWith('holdfast'))
  const peak = Math.max(...ours.map((standing) => peakBytes(standing) ?? 0))
  return peak > 0
    ? { target: 'peak memory ≤ 200 MB in everything', measured: `${Math.round(peak / 1e6)} MB`, met: peak <= 200e6 }
    : undefined
}
