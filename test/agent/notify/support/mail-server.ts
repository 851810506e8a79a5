import { text } from 'node:stream/consumers'
import { SMTPServer, type SMTPServerOptions } from 'smtp-server'
import { localhostCertificate, localhostKey } from './localhost-certificate.ts'

export interface Mail {
  readonly from: string
  readonly to: readonly string[]
  readonly secure: boolean
  readonly user: string | undefined
  /** As it was sent, but each header on one line. */
  readonly source: string
}

export interface MailServer extends AsyncDisposable {
  readonly port: number
  readonly mails: readonly Mail[]
}

/** A real SMTP server on this machine, which offers STARTTLS and keeps what it gets. */
export async function startMailServer(options: SMTPServerOptions = {}): Promise<MailServer> {
  const mails: Mail[] = []
  const server = new SMTPServer({
    key: localhostKey,
    cert: localhostCertificate,
    authOptional: true,
    logger: false,
    closeTimeout: 100,
    onData(stream, session, callback) {
      text(stream).then(
        (source) => {
          const { mailFrom, rcptTo } = session.envelope
          const user = typeof session.user === 'string' ? session.user : undefined
          const from = mailFrom === false ? '' : mailFrom.address
          mails.push({
            from,
            to: rcptTo.map(({ address }) => address),
            secure: session.secure,
            user,
            source: source.replace(/\r\n[ \t]/g, ' '),
          })
          callback()
        },
        (error) => callback(error),
      )
    },
    ...options,
  })
  // A client that goes away, or a handshake that it gives up, is part of some tests.
  server.on('error', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.server.address()
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    mails,
    [Symbol.asyncDispose]: () => new Promise((resolve) => server.close(resolve)),
  }
}
