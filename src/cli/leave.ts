/**
 * Ends this process now, by a signal, as shells and service managers expect of one that was interrupted. What cleans up when a process ends is
 * done. To exit would not do: that waits for the threads that make system calls, of which one may hang for as long as a disk is away.
 */
export function leaveBy(signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): never {
  process.once('exit', () => {
    // With nobody who listens, it ends the process.
    process.removeAllListeners(signal)
    process.kill(process.pid, signal)
  })
  // Where a signal of its own cannot end it: the first process of a container.
  process.exit(signal === 'SIGTERM' ? 143 : 130)
}
