/** `2026-03-29 14:05:09.120 +02:00`: local time, to the millisecond; it can be given back to `--at` as it stands. */
export function formatTime(time: number): string {
  const date = new Date(time)
  const day = `${pad(date.getFullYear(), 4)}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
  const clock = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`
  return `${day} ${clock}.${pad(date.getMilliseconds(), 3)} ${formatOffset(-date.getTimezoneOffset())}`
}

function formatOffset(minutes: number): string {
  const size = Math.abs(minutes)
  return `${minutes < 0 ? '-' : '+'}${pad(Math.floor(size / 60))}:${pad(size % 60)}`
}

function pad(value: number, width = 2): string {
  return String(value).padStart(width, '0')
}
