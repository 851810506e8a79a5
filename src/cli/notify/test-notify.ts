import { requireConfig } from '../../agent/config/load-config.ts'
import { maskLocation } from '../../agent/config/show/mask.ts'
import { thisSender } from '../../agent/notify/message.ts'
import { testChannels } from '../../agent/notify/test-channels.ts'
import { exitCodes } from '../../errors.ts'
import { testedText } from '../present/notify.ts'
import { storageUrl } from '../record/command-journal.ts'
import type { Outcome, Session } from '../session.ts'

/** @throws CONFIG_INVALID, USAGE, NAME_NOT_FOUND, ABORTED */
export async function testNotify(
  { configFile, now, signal }: Session,
  only: string | undefined,
): Promise<Outcome<'notify test'>> {
  const { notify, repository } = await requireConfig(configFile.path)
  const tests = await testChannels(notify, thisSender((await storageUrl(repository)) ?? maskLocation(repository)), {
    only,
    now,
    signal,
  })
  const channels = tests.map(({ name, type, target, durationMs, error }) => ({
    name,
    type,
    target,
    ok: error === undefined,
    durationMs,
    problem: error?.message ?? null,
    hint: error?.hint ?? null,
  }))
  const ok = channels.every((channel) => channel.ok)
  return {
    data: { channels },
    text: testedText(channels),
    ...(ok ? { brief: '' } : { exitCode: exitCodes.error }),
  }
}
