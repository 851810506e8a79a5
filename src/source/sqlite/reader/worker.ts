/** Entry of the thread that holds a snapshot's SQLite connection; see {@link ReaderClient}. */
import { parentPort } from 'node:worker_threads'
import { HoldfastError } from '../../../errors.ts'
import { Patience } from './patience.ts'
import { type ReaderAnswer, type ReaderMessage, type ReaderRequest, toFailure } from './protocol.ts'
import { Reader } from './reader.ts'

const port = parentPort
if (port === null) throw new Error('This module is the entry of a worker thread.')

let reader: Reader | undefined

function answer(request: ReaderRequest, throwIfCancelled: () => void): ReaderAnswer {
  switch (request.op) {
    case 'open':
      reader = Reader.open(request.path, request.access, new Patience(request.waitMs, throwIfCancelled))
      return { op: 'open', value: reader.describe() }
    case 'begin':
      return {
        op: 'begin',
        value: opened().begin(request.sharedMemory, new Patience(request.waitMs, throwIfCancelled)),
      }
    case 'inspect':
      return { op: 'inspect', value: opened().inspect(request.validation, request.rowCounts, throwIfCancelled) }
    case 'close':
      reader?.[Symbol.dispose]()
      reader = undefined
      return { op: 'close' }
  }
}

function opened(): Reader {
  if (reader === undefined) throw new HoldfastError('INTERNAL', 'The connection is not open.')
  return reader
}

port.on('message', ({ request, cancelled }: ReaderMessage) => {
  const flag = new Int32Array(cancelled)
  const throwIfCancelled = () => {
    if (Atomics.load(flag, 0) !== 0) throw new HoldfastError('ABORTED', 'The operation was cancelled.')
  }
  try {
    throwIfCancelled()
    port.postMessage(answer(request, throwIfCancelled))
  } catch (thrown) {
    port.postMessage({ op: 'failure', failure: toFailure(thrown) } satisfies ReaderAnswer)
  }
  if (request.op === 'close') port.close()
})
