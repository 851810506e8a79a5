import type { ChildProcess } from 'node:child_process'

/** One end of a channel between two processes. Messages arrive whole, in order, and as copies. */
export interface Port {
  /** @throws if the message cannot be copied; a closed channel is told by `onClose` instead. */
  send(message: unknown): void
  onMessage(listener: (message: unknown) => void): void
  onClose(listener: () => void): void
}

export function childPort(child: ChildProcess): Port {
  return {
    send(message) {
      // A channel that closes meanwhile is reported by its own event; without a callback it would be an uncaught error.
      if (child.connected) child.send(toSendable(message), ignore)
    },
    onMessage: (listener) => void child.on('message', listener),
    onClose: (listener) => void child.on('disconnect', listener),
  }
}

/** This process's channel to the one that forked it; undefined if it was started in another way. */
export function parentPort(): Port | undefined {
  if (process.send === undefined) return undefined
  return {
    send(message) {
      if (process.connected) process.send?.(toSendable(message), undefined, undefined, ignore)
    },
    onMessage: (listener) => void process.on('message', listener),
    onClose: (listener) => void process.on('disconnect', listener),
  }
}

function toSendable(message: unknown): object {
  return Object(message)
}

function ignore(): void {}
