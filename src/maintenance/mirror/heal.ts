/** Objects of which one side's copy is damaged: a sound one replaces a damaged one on the mirror, never the other way round. */
import { parseSegmentKey } from '../../repository/layout.ts'
import { readLedger, updateLedger } from '../../repository/verification-ledger.ts'
import { inBatches } from '../../util/in-batches.ts'
import { checkObject } from './check-object.ts'
import { copyDocument } from './copy-document.ts'
import { copySegment } from './copy-segment.ts'
import { type Listed, mirroredKind } from './object-kind.ts'
import type { Differing } from './plan-copies.ts'
import type { DatabaseRun } from './run-context.ts'

const readsAtOnce = 8

/** An object that never changes is of two sizes. @returns whether the mirror's is sound now */
export async function settleDifference(run: DatabaseRun, { key, source, mirror }: Differing): Promise<boolean> {
  const { sides, options } = run
  const name = run.source.name
  const here = await checkObject(sides.mirror.storage, name, mirror, options)
  const there = await checkObject(sides.source.storage, name, source, options)
  if (here.is === 'damaged' && there.is === 'sound') return await healFrom(run, source)
  if (here.is === 'sound' && there.is === 'damaged') {
    run.findings.push({ object: key, side: 'source', problem: there.problem, soundCopy: 'mirror' })
    return true
  }
  if (here.is === 'damaged' && there.is === 'damaged') {
    run.findings.push({ object: key, side: 'both', problem: there.problem, soundCopy: undefined })
    return false
  }
  if (here.is === 'sound' && there.is === 'sound') {
    const problem = `The repository and the mirror hold different objects under the name ${key}, both undamaged: two histories were written.`
    run.findings.push({ object: key, side: 'both', problem, soundCopy: undefined })
  }
  return here.is === 'sound'
}

/** What a verification of the mirror found damaged there, and still is. */
export async function healKnownDamage(run: DatabaseRun, listed: ReadonlyMap<string, Listed>): Promise<void> {
  const { sides, options } = run
  const ledger = await readLedger(sides.mirror, options)
  for (const [key, { ok }] of Object.entries(ledger.segments)) {
    const object = listed.get(key)
    if (ok || object === undefined) continue
    const here = await checkObject(sides.mirror.storage, run.source.name, object, options)
    if (here.is === 'damaged') await healFrom(run, object)
    else if (here.is === 'sound') await noteSound(run, key)
  }
}

/** They are small, and without them nothing can be found: they are read in every run. */
export async function healDocuments(run: DatabaseRun, documents: readonly Listed[]): Promise<void> {
  const { sides, options, source } = run
  await inBatches(documents, readsAtOnce, async (object) => {
    const here = await checkObject(sides.mirror.storage, source.name, object, options)
    if (here.is === 'damaged') await healFrom(run, object)
  })
}

async function healFrom(run: DatabaseRun, object: Listed): Promise<boolean> {
  const { sides, options, settings } = run
  const { key } = object
  if (settings.dryRun) {
    run.healed.push(key)
    return true
  }
  run.assertHeld()
  const replaced = await sides.mirror.storage.head(key, options)
  const segment = parseSegmentKey(object)
  const result =
    mirroredKind(run.source.name, object)?.kind === 'segment' && segment !== undefined
      ? await copySegment(sides, segment, { ...options, replaced })
      : await copyDocument(sides, key, { ...options, replaced })
  if (result.is === 'damaged') {
    const side = 'side' in result && result.side === 'mirror' ? 'mirror' : 'both'
    const soundCopy = side === 'mirror' ? 'source' : undefined
    run.findings.push({ object: key, side, problem: result.problem, soundCopy })
    return false
  }
  if (result.is === 'gone') return false
  run.healed.push(key)
  if (segment !== undefined) await noteSound(run, key)
  return true
}

/** Every byte of it was read: what a verification said of it holds no longer. */
async function noteSound({ settings, sides, options }: DatabaseRun, key: string): Promise<void> {
  if (settings.dryRun) return
  const { segments, restores, waiting } = await readLedger(sides.mirror, options)
  if (segments[key]?.ok !== false) return
  const entry = { checkedAt: new Date(settings.now).toISOString(), ok: true, problem: '' }
  const waits = Object.keys(waiting)
  const existing = {
    segments: new Set([...Object.keys(segments), ...waits]),
    backups: new Set([...Object.keys(restores), ...waits]),
  }
  await updateLedger(sides.mirror, { segments: { [key]: entry } }, existing, { ...options, now: settings.now })
}
