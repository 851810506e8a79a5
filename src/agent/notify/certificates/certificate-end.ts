import { once } from 'node:events'
import { connect as connectPlain, isIP, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { connect, type TLSSocket } from 'node:tls'
import type { TlsEndpoint } from './tls-endpoints.ts'

/**
 * Until when the certificate of a server is valid, in milliseconds since 1970. Nothing is sent there but what it takes to see it, so it
 * does not have to be good; undefined if it shows none.
 * @throws the system's error, also when the signal fires
 */
export async function certificateEnd(
  { host, port, startTls }: TlsEndpoint,
  signal: AbortSignal,
): Promise<number | undefined> {
  // Not by the socket's own signal: it would emit the abort as an error, which nobody hears while TLS begins, and which ends the process.
  const plain = connectPlain({ host, port })
  try {
    await once(plain, 'connect', { signal })
    if (startTls) await askForTls(plain, signal)
    const secure = connect({
      socket: plain,
      rejectUnauthorized: false,
      ...(isIP(host) === 0 ? { servername: host } : {}),
    })
    try {
      await once(secure, 'secureConnect', { signal })
      return endOf(secure)
    } finally {
      secure.destroy()
    }
  } finally {
    plain.destroy()
  }
}

function endOf(socket: TLSSocket): number | undefined {
  const { valid_to: end } = socket.getPeerCertificate()
  const time = end === undefined ? Number.NaN : Date.parse(end)
  return Number.isNaN(time) ? undefined : time
}

/** RFC 3207. */
async function askForTls(socket: Socket, signal: AbortSignal): Promise<void> {
  const lines = createInterface({ input: socket, signal })
  try {
    const answers = lines[Symbol.asyncIterator]()
    await expect(answers, '220')
    socket.write('EHLO holdfast\r\n')
    await expect(answers, '250')
    socket.write('STARTTLS\r\n')
    await expect(answers, '220')
  } finally {
    lines.close()
    socket.removeAllListeners('data')
  }
}

/** An answer's last line has a space after its code. */
async function expect(answers: AsyncIterator<string>, code: string): Promise<void> {
  for (;;) {
    const { value, done } = await answers.next()
    if (done === true || !value.startsWith(code)) throw new Error(`It answered ${done === true ? 'nothing' : value}.`)
    if (value[3] !== '-') return
  }
}
