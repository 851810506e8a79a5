import assert from 'node:assert/strict'
import type { Server } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import { z } from 'zod'
import { type HttpReceiver, startReceiver } from '../../notify/support/http-receiver.ts'
import { type ProvedAlert, provedAlerts } from './proved-alerts.ts'

const message = z.looseObject({
  alerts: z.array(
    z.looseObject({
      state: z.enum(['firing', 'recovered']),
      kind: z.string(),
      severity: z.string(),
      key: z.string(),
      summary: z.string(),
      hint: z.string().nullable(),
    }),
  ),
})
type Told = z.infer<typeof message>['alerts'][number]

/** A webhook of the user's, and all that it was told. */
export class AlertInbox implements AsyncDisposable {
  readonly #receiver: HttpReceiver

  private constructor(receiver: HttpReceiver) {
    this.#receiver = receiver
  }

  /** @param server default: one that does not encrypt */
  static async open(server?: Server | HttpsServer): Promise<AlertInbox> {
    return new AlertInbox(await startReceiver(undefined, server))
  }

  /** For `notify` of a configuration. */
  get channel() {
    return { webhook: `${this.#receiver.url}/hook`, name: 'inbox' }
  }

  /** `127.0.0.1:4711` */
  get host(): string {
    return new URL(this.#receiver.url).host
  }

  get all(): readonly Told[] {
    return this.#receiver.received.flatMap(({ body }) => message.parse(JSON.parse(body)).alerts)
  }

  /** What was told of one alert, in order: `firing critical`, `recovered critical`. */
  about(key: string): readonly string[] {
    return this.all.filter((alert) => alert.key === key).map(({ state, severity }) => `${state} ${severity}`)
  }

  /** The last that was told of it. */
  last(key: string): Told | undefined {
    return this.all.findLast((alert) => alert.key === key)
  }

  has(state: Told['state'], key: string): boolean {
    return this.last(key)?.state === state
  }

  /** It was told to be so first, and to be over last, however often between. */
  proves(what: ProvedAlert, key: string): void {
    const expected = provedAlerts[what].key
    assert.ok(key === expected || key.startsWith(`${expected}/`), `${key} is not told when ${what}`)
    const states = this.all.filter((alert) => alert.key === key).map(({ state }) => state)
    assert.deepEqual([states[0], states.at(-1)], ['firing', 'recovered'], `${what}: ${states.join(', ')}`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#receiver[Symbol.asyncDispose]()
  }
}
