import { join } from 'node:path'
import { z } from 'zod'
import { readState, writeState } from '../../state/state-document.ts'
import type { Alert } from '../alert.ts'
import { type AlertState, alertState, conditionSchema } from '../engine/alert-state.ts'

const alert = conditionSchema.extend({
  state: z.enum(['firing', 'recovered']),
  incident: z.string(),
  at: z.number(),
  since: z.number(),
  reminder: z.int().min(0),
  times: z.int().min(1),
})

const document = z.strictObject({
  alerts: alertState,
  /** By channel: what has not been sent yet. */
  waiting: z.record(z.string(), z.array(alert)),
})

export interface SavedAlerts {
  readonly alerts: AlertState
  readonly waiting: Readonly<Record<string, readonly Alert[]>>
}

const none: SavedAlerts = { alerts: {}, waiting: {} }

/** What is known of alerts, kept in the agent's state folder. */
export class AlertFile {
  readonly path: string

  constructor(folder: string) {
    this.path = join(folder, 'alerts.json')
  }

  /** One that cannot be read counts as none: what is still wrong is then told once more. @throws ACCESS_DENIED, INTERNAL */
  async read(): Promise<SavedAlerts & { readonly problem?: string }> {
    const read = await readState('alerts', document, this.path)
    if (read.found) return read.body
    return read.problem === undefined ? none : { ...none, problem: read.problem }
  }

  /** Durable when it resolves. @throws DISK_FULL, ACCESS_DENIED, INTERNAL */
  async write(saved: SavedAlerts): Promise<void> {
    await writeState('alerts', saved, this.path)
  }
}
