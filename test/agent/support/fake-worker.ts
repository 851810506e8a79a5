import { type WorkerSignatures, workerApi } from '../../../src/agent/worker/worker-api.ts'
import type { Worker, WorkerPool } from '../../../src/agent/worker/worker-pool.ts'
import type { CaptureEvent, Unsent } from '../../../src/capture/capture-events.ts'
import type { EngineCallOptions } from '../../../src/engine/host.ts'
import { HoldfastError } from '../../../src/errors.ts'
import { aborted } from '../../../src/util/abort.ts'

type Names = keyof WorkerSignatures

/** A following that a test steers. */
export interface FakeFollowing {
  readonly emit: (event: CaptureEvent) => void
  readonly end: (left: Unsent) => void
  readonly fail: (error: unknown) => void
  readonly isAborted: () => boolean
}

/** A worker whose answers a test gives. */
export class FakeWorker implements Worker {
  readonly pid = 4711
  readonly calls: { readonly name: string; readonly input: unknown }[] = []
  readonly followings: FakeFollowing[] = []
  /** Answers of functions other than `follow`; one that has none hangs. */
  readonly answers: Partial<Record<Names, () => unknown>> = {}

  async call<Name extends Names & string>(
    name: Name,
    input: WorkerSignatures[Name]['input'],
    { signal, onEvent }: EngineCallOptions<WorkerSignatures[Name]['event']> = {},
  ): Promise<WorkerSignatures[Name]['output']> {
    this.calls.push({ name, input })
    const { input: _, event, output } = workerApi[name]
    if (name !== 'follow') {
      const answer = this.answers[name]
      return output.parse(await (answer === undefined ? new Promise(() => {}) : answer()))
    }
    const { promise, resolve, reject } = Promise.withResolvers<Unsent>()
    const onAbort = (): void => reject(aborted(signal))
    signal?.addEventListener('abort', onAbort, { once: true })
    this.followings.push({
      emit: (each) => onEvent?.(event.parse(each)),
      end: resolve,
      fail: reject,
      isAborted: () => signal?.aborted === true,
    })
    return output.parse(await promise)
  }
}

/** Hands out one worker; counts those who hold it. */
export class FakePool implements Pick<WorkerPool, 'take'> {
  readonly worker = new FakeWorker()
  held = 0
  refuses = false

  take(): { readonly worker: Worker } & Disposable {
    if (this.refuses) throw new HoldfastError('ENGINE_DIED', 'The program of the engine process is not there.')
    this.held += 1
    return {
      worker: this.worker,
      [Symbol.dispose]: () => {
        this.held -= 1
      },
    }
  }
}
