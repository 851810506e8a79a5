import { aborted } from '../../../util/abort.ts'
import { programName, runProgram, unendedText } from '../../../util/run-program.ts'
import { alertsOf, type Message, messageDocument, type Sender } from '../message.ts'
import type { Channel } from './channel.ts'
import { DeliveryError } from './delivery-error.ts'

export interface CommandSettings {
  /** A text is given to the shell; a list is a program and its arguments. */
  readonly command: string | readonly [string, ...string[]]
  /** In milliseconds; default 30 s. Then it is told to stop, and killed 5 s later. */
  readonly timeoutMs?: number | undefined
}

const defaultTimeoutMs = 30_000
const graceMs = 5000

/** Exit status by which a program says that trying again may help: EX_TEMPFAIL of sysexits.h. */
export const tryAgainStatus = 75

/** Runs a program for each message, with the message's JSON as its standard input. */
export function command(settings: CommandSettings, sender: Sender): Channel {
  const target = programName(settings.command)
  return {
    type: 'command',
    target,
    send: async (message, id, signal) => {
      const { timeoutMs = defaultTimeoutMs } = settings
      if (signal.aborted) throw aborted(signal)
      const document = messageDocument(message, id, sender)
      const result = await run()
      if (signal.aborted) throw aborted(signal)
      const { status, timedOut, output } = result
      if (timedOut) {
        const left = unendedText(result)
        throw new DeliveryError(`The command ran longer than ${timeoutMs / 1000} s${left}.`, target, true)
      }
      if (status !== 0) {
        const said = output === '' ? '' : `\n${output}`
        throw new DeliveryError(`The command ended with ${status}.${said}`, target, status === tryAgainStatus)
      }

      async function run() {
        try {
          return await runProgram({
            command: settings.command,
            environment: environmentOf(message, document.title, id),
            input: `${JSON.stringify(document)}\n`,
            timeoutMs,
            graceMs,
            signal,
          })
        } catch (error) {
          const why = error instanceof Error ? error.message : String(error)
          throw new DeliveryError(`The command cannot be started: ${why}.`, target, false, { cause: error })
        }
      }
    },
  }
}

function environmentOf(message: Message, title: string, id: string): Record<string, string> {
  const [only, another] = alertsOf(message)
  const common = { HOLDFAST_MESSAGE_TYPE: message.type, HOLDFAST_MESSAGE_ID: id, HOLDFAST_TITLE: title }
  if (message.type !== 'alert' || only === undefined || another !== undefined) return common
  return {
    ...common,
    HOLDFAST_ALERT_STATE: only.state,
    HOLDFAST_ALERT_KIND: only.kind,
    HOLDFAST_ALERT_SEVERITY: only.severity,
    HOLDFAST_ALERT_KEY: only.key,
    HOLDFAST_ALERT_INCIDENT: only.incident,
    HOLDFAST_DATABASE: only.database ?? '',
  }
}
