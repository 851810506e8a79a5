/** Thread body: ends its process when the parent is gone. The main thread, deep in a query, would not learn of it before its end. */
const parent = process.ppid
const everyMs = 500

setInterval(() => {
  if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL')
}, everyMs)
