import type { NodemailerError } from 'nodemailer/lib/errors'
import { aborted, throwIfAborted } from '../../../util/abort.ts'
import { alertsOf, type Message, messageText, messageTitle, type Sender } from '../message.ts'
import type { Channel } from './channel.ts'
import { DeliveryError } from './delivery-error.ts'

export interface EmailSettings {
  readonly host: string
  /** Default: 465 for `tls: always`, else 587. */
  readonly port?: number | undefined
  /** `always`: from the first byte. `starttls` (default): a server without it is refused. `never`: only for a server nearby. */
  readonly tls?: 'always' | 'starttls' | 'never' | undefined
  /** Certificates of one's own authority, in PEM. */
  readonly ca?: string | undefined
  /** Takes any certificate. Default false. */
  readonly insecure?: boolean | undefined
  readonly user?: string | undefined
  readonly password?: string | undefined
  readonly from: string
  readonly to: readonly string[]
  /** For each step of the conversation, and twice for all of it, in milliseconds; default 20 s. */
  readonly timeoutMs?: number | undefined
}

const defaultTimeoutMs = 20_000

/** Sends messages as plain text through an SMTP server. */
export function email(settings: EmailSettings, sender: Sender): Channel {
  const { host, from, to, timeoutMs = defaultTimeoutMs } = settings
  return {
    type: 'email',
    target: `${to.join(', ')} through ${host}`,
    send: async (message, id, signal) => {
      throwIfAborted(signal)
      const { createTransport } = await import('nodemailer')
      const transport = createTransport(transportOptions(settings, timeoutMs))
      const deadline = AbortSignal.timeout(2 * timeoutMs)
      const stop = AbortSignal.any([signal, deadline])
      const { promise: stopped, reject } = Promise.withResolvers<never>()
      const onStop = () => reject(stop.reason)
      stop.addEventListener('abort', onStop, { once: true })
      try {
        const sending = transport.sendMail({
          from,
          to: [...to],
          subject: `[holdfast] ${messageTitle(message)}`,
          text: messageText(message, sender),
          messageId: `<${id}@holdfast>`,
          headers: { 'Auto-Submitted': 'auto-generated' },
          ...threadOf(message),
        })
        // The loser of the race must not become an unhandled rejection.
        sending.catch(() => {})
        const { rejected } = await Promise.race([sending, stopped])
        if (rejected.length > 0) throw refusedRecipients(host, rejected.map(addressOf))
      } catch (error) {
        if (error instanceof DeliveryError) throw error
        if (signal.aborted) throw aborted(signal)
        throw failure(error, host, deadline.aborted, timeoutMs)
      } finally {
        stop.removeEventListener('abort', onStop)
        transport.close()
      }
    },
  }
}

function transportOptions(
  { host, port, tls = 'starttls', ca, insecure, user, password }: EmailSettings,
  timeoutMs: number,
) {
  return {
    host,
    port: port ?? (tls === 'always' ? 465 : 587),
    secure: tls === 'always',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'never',
    tls: { ...(ca === undefined ? {} : { ca }), rejectUnauthorized: insecure !== true },
    ...(user === undefined ? {} : { auth: { user, pass: password ?? '' } }),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    socketCloseTimeout: 1000,
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

/** The reminders and the end of an alert stand below its beginning. */
function threadOf(message: Message): { references?: string } {
  const [only, another] = alertsOf(message)
  if (only === undefined || another !== undefined) return {}
  return { references: `<${Buffer.from(only.incident).toString('base64url')}@holdfast>` }
}

function addressOf(recipient: string | { readonly address: string }): string {
  return typeof recipient === 'string' ? recipient : recipient.address
}

/** The others have it: sending it again would tell them twice. */
function refusedRecipients(host: string, rejected: readonly string[]): DeliveryError {
  return new DeliveryError(`${host} refused ${rejected.join(', ')}; the other recipients were told.`, host, false, {
    hint: 'Check the addresses.',
  })
}

function failure(thrown: unknown, host: string, isLate: boolean, timeoutMs: number): DeliveryError {
  if (isLate)
    return new DeliveryError(`${host} took longer than ${(2 * timeoutMs) / 1000} s to take an e-mail.`, host, true, {
      cause: thrown,
    })
  const error: NodemailerError = thrown instanceof Error ? thrown : new Error(String(thrown))
  const { code, responseCode, permanent } = error
  const said = error.message.replace(/\s+/g, ' ')
  const sentence = /[.!?]$/.test(said) ? said : `${said}.`
  const make = (what: string, retryable: boolean, hint?: string) =>
    new DeliveryError(`${what} ${sentence}`, host, retryable, { cause: thrown, hint })
  if (code === 'EAUTH' || code === 'ENOAUTH')
    return make(
      `${host} refused the user or the password:`,
      permanent === false,
      'Check "user" and "password" of the channel.',
    )
  if (code === 'ETLS')
    return make(
      `${host} offers no encryption that can be used:`,
      true,
      'Check "tls" of the channel and the certificate of the server.',
    )
  if (responseCode !== undefined) return make(`${host} refused the e-mail:`, permanent !== true)
  return make(`${host} cannot be reached:`, true, 'Check host, port and "tls" of the channel, and the network.')
}
