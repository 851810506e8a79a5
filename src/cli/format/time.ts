import { formatTime } from '../../util/format-time.ts'

export { formatTime }

/** As {@link formatTime}, with the name of the time zone: what is echoed wherever a person gave a time. */
export function formatFullTime(time: number): string {
  return `${formatTime(time)} (${Intl.DateTimeFormat().resolvedOptions().timeZone})`
}

/** `2026-03-29T14:05:09.120+02:00`: one word, for commands that are ready to paste. */
export function formatTimeWord(time: number): string {
  return formatTime(time).replace(' ', 'T').replace(' ', '')
}
