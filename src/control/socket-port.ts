import type { Socket } from 'node:net'
import { deserialize, serialize } from 'node:v8'
import type { Port } from '../engine/port.ts'

/** A longer message is nobody's: what is said here are requests and reports. */
const longestMessage = 8 * 1024 * 1024
const lengthBytes = 4

/** A channel over a local socket: each message is its length in four bytes, then itself as structured clone. */
export function socketPort(socket: Socket): Port {
  const listeners: ((message: unknown) => void)[] = []
  let received: Buffer<ArrayBufferLike> = Buffer.alloc(0)
  socket.on('data', (bytes) => {
    received = received.length === 0 ? bytes : Buffer.concat([received, bytes])
    while (received.length >= lengthBytes) {
      const length = received.readUInt32LE()
      if (length > longestMessage) return void socket.destroy()
      if (received.length < lengthBytes + length) return
      const message = parsed(received.subarray(lengthBytes, lengthBytes + length))
      received = received.subarray(lengthBytes + length)
      for (const listener of listeners) listener(message)
    }
  })
  // What breaks a connection is told by its closing.
  socket.on('error', () => {})
  return {
    send: (message) => {
      if (!socket.writable) return
      const body = serialize(message)
      const length = Buffer.alloc(lengthBytes)
      length.writeUInt32LE(body.length)
      socket.write(Buffer.concat([length, body]))
    },
    onMessage: (listener) => void listeners.push(listener),
    onClose: (listener) => void socket.on('close', listener),
  }
}

/** What is no message is for the protocol to refuse. */
function parsed(bytes: Buffer): unknown {
  try {
    return deserialize(bytes)
  } catch {
    return undefined
  }
}
