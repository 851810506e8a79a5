/** A POST to somebody else's server: bounded in time and answer, and never led elsewhere. */
import { aborted } from '../../../util/abort.ts'
import { version } from '../../../util/version.ts'
import { DeliveryError } from './delivery-error.ts'

export interface HttpRequest {
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>> | undefined
  readonly body: string
  readonly timeoutMs: number
  readonly signal: AbortSignal
}

const mostRedirects = 3
/** What an answer says is shown to people up to this length. */
const mostAnswer = 300
const longestRetryAfterMs = 3_600_000
/** RFC 9110, 15.5.14. */
const contentTooLarge = 413

/** @throws DeliveryError for anything but a 2xx answer in time; ABORTED */
export async function sendHttp(request: HttpRequest): Promise<void> {
  const { signal, timeoutMs, url } = request
  const deadline = AbortSignal.timeout(timeoutMs)
  const stop = AbortSignal.any([signal, deadline])
  const place = placeOf(url)
  try {
    await follow(request, url, stop, mostRedirects)
  } catch (error) {
    if (error instanceof DeliveryError) throw error
    if (signal.aborted) throw aborted(signal)
    if (deadline.aborted)
      throw new DeliveryError(`${place} did not answer within ${timeoutMs / 1000} s.`, place, true, { cause: error })
    // What `fetch` says of a request that it does not even begin may hold the header or the address that it is about.
    if (error instanceof TypeError && error.cause === undefined)
      throw new DeliveryError(`A header for ${place} has characters that no header may have.`, place, false, {
        hint: 'Look for line breaks in the headers of the channel.',
      })
    throw new DeliveryError(`${place} cannot be reached: ${reasonOf(error)}`, place, true, {
      cause: error,
      hint: 'Check the address, the network and the certificate of the server.',
    })
  }
}

async function follow(request: HttpRequest, url: URL, signal: AbortSignal, redirects: number): Promise<void> {
  const place = placeOf(url)
  const { headers, body } = request
  const response = await fetch(withoutUser(url), {
    method: 'POST',
    headers: { 'user-agent': `holdfast/${version}`, ...basicAuthorization(url), ...headers },
    body,
    redirect: 'manual',
    signal,
  })
  const { status } = response
  if (status >= 200 && status < 300) {
    await response.body?.cancel()
    return
  }
  if (status >= 300 && status < 400) {
    await response.body?.cancel()
    const next = redirectTarget(response, url)
    if (next === undefined || redirects === 0) throw redirected(place, status, next)
    // Elsewhere, secrets of the address and of the message are nobody's business; and a POST must not become a GET.
    if (next.origin !== url.origin || (status !== 307 && status !== 308)) throw redirected(place, status, next)
    next.username = url.username
    next.password = url.password
    return await follow(request, next, signal, redirects - 1)
  }
  const answer = await beginningOf(response)
  throw new DeliveryError(
    `${place} answered ${status}${answer === '' ? '' : `: ${answer}`}`,
    place,
    isPassing(status),
    {
      retryAfterMs: retryAfter(response),
      tooLarge: status === contentTooLarge,
      ...(isPassing(status) ? {} : { hint: 'Check the address, and what the server expects.' }),
    },
  )
}

/** Origin only: paths and queries of webhooks hold secrets. */
export function placeOf(url: URL): string {
  return url.origin
}

function withoutUser(url: URL): URL {
  const plain = new URL(url)
  plain.username = ''
  plain.password = ''
  return plain
}

/** RFC 7617. */
function basicAuthorization({ username, password }: URL): { authorization?: string } {
  if (username === '' && password === '') return {}
  const both = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { authorization: `Basic ${Buffer.from(both).toString('base64')}` }
}

function isPassing(status: number): boolean {
  return status >= 500 || status === 429 || status === 408 || status === 425
}

function redirectTarget(response: Response, url: URL): URL | undefined {
  const location = response.headers.get('location')
  return location !== null && URL.canParse(location, url.href) ? new URL(location, url) : undefined
}

function redirected(place: string, status: number, next: URL | undefined): DeliveryError {
  const where = next === undefined ? 'nowhere' : placeOf(next)
  return new DeliveryError(`${place} answered ${status}: it redirects to ${where}.`, place, false, {
    hint: 'Redirects to other servers are not followed. Give the address that it leads to.',
  })
}

/** Seconds, or a date: RFC 9110, 10.2.3. */
function retryAfter(response: Response): number | undefined {
  const text = response.headers.get('retry-after')
  if (text === null) return undefined
  const wait = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return Number.isNaN(wait) ? undefined : Math.min(longestRetryAfterMs, Math.max(0, wait))
}

async function beginningOf({ body }: Response): Promise<string> {
  if (body === null) return ''
  let text = ''
  const decoder = new TextDecoder()
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true })
    if (text.length > mostAnswer) break
  }
  return text.replace(/\s+/g, ' ').trim().slice(0, mostAnswer)
}

/** `fetch` says only "fetch failed"; why is in its cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error
  const inner = cause instanceof AggregateError ? cause.errors.find((each) => each instanceof Error) : cause
  const text = inner instanceof Error ? inner.message : String(inner)
  return /[.!?]$/.test(text) ? text : `${text}.`
}
