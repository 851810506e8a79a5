import { isDeepStrictEqual } from 'node:util'
import { toHoldfastError } from '../errors.ts'
import { abortable, aborted } from '../util/abort.ts'
import type { AgentOptions } from './agent-options.ts'
import type { AgentParts } from './agent-parts.ts'
import type { Config } from './config/config.ts'
import { conditionKey } from './notify/alert.ts'
import { configuredChannels } from './notify/configured.ts'
import { thisSender } from './notify/message.ts'

const key = conditionKey('failure', 'config')
/** What only a new start can change. */
const held = ['repository', 'stateFolder', 'concurrency', 'repeatAlertsMs', 'server'] as const

/** The configuration by which the agent works, and how another one takes its place. */
export class ConfigInForce {
  readonly #options: Pick<AgentOptions, 'log' | 'readConfig'>
  readonly #parts: AgentParts
  readonly #signal: AbortSignal
  readonly #startedWith: Config
  #current: Config
  #reloading: Promise<void> = Promise.resolve()
  /** Asked for, and not begun. */
  #nextReload: Promise<void> | undefined

  /** @param signal fires when the agent stops */
  constructor({ config, log, readConfig }: AgentOptions, parts: AgentParts, signal: AbortSignal) {
    this.#options = { log, readConfig }
    this.#parts = parts
    this.#signal = signal
    this.#startedWith = config
    this.#current = config
  }

  get current(): Config {
    return this.#current
  }

  /**
   * Reads the configuration anew and puts it in force. What is followed as before goes on undisturbed. If it makes no sense, the present
   * one stays in force. Whoever asks while it is being read gets what is read after that. @throws ConfigError, ABORTED when the agent stops
   */
  reload(): Promise<void> {
    if (this.#nextReload === undefined) {
      const next = this.#reloading.then(() => {
        this.#nextReload = undefined
        return this.#reload()
      })
      this.#nextReload = next
      this.#reloading = next.catch(() => {})
    }
    return this.#nextReload
  }

  /** Resolves when none is being put in force. */
  async idle(): Promise<void> {
    await this.#reloading
  }

  async #reload(): Promise<void> {
    const { log, readConfig } = this.#options
    try {
      const config = await abortable(readConfig(), this.#signal)
      for (const each of held) {
        if (!isDeepStrictEqual(config[each], this.#startedWith[each]))
          log.warn(
            `"${each === 'repeatAlertsMs' ? 'repeatAlerts' : each}" has changed: that takes effect when the agent is started again.`,
          )
      }
      const { repository, stateFolder } = this.#startedWith
      await this.#apply({ ...config, repository, stateFolder })
      this.#parts.notifier.observe([{ what: 'absent', key }])
      log.info('The configuration was read anew.', { file: config.file })
    } catch (thrown) {
      if (this.#signal.aborted) throw aborted(this.#signal)
      const { message } = toHoldfastError(thrown)
      const summary = `The configuration could not be read anew, so the present one stays in force. ${message}`
      log.error(summary)
      const hint = 'Run "holdfast config check": the next start of the agent would fail.'
      const condition = { key, kind: 'failure', severity: 'warning', summary, hint, details: {} } as const
      this.#parts.notifier.observe([{ what: 'present', condition }])
      throw thrown
    }
  }

  async #apply(config: Config): Promise<void> {
    const { notifier, heartbeats, mirrors, finder, otherAgents, link } = this.#parts
    this.#current = config
    this.#options.log.configure(config.log)
    await notifier.reconfigure(configuredChannels(config.notify, thisSender(link.storage.url)))
    await heartbeats.reconfigure(config.notify)
    await mirrors.set(config.mirrors)
    await finder.apply(config, this.#signal)
    otherAgents.changed()
  }
}
