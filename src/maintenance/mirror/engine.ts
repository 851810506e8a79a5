/**
 * The program of the mirroring engine: keeps checksums, and a network drive that hangs, out of the host's process. Forked by the library
 * and by the agent.
 */
import { throttleProgress } from '../../engine/progress-event.ts'
import { serve } from '../../engine/serve.ts'
import { openLinkedStorage } from '../../engine/storage-link.ts'
import { Repository } from '../../repository/repository.ts'
import { openStorage } from '../../storage/open-storage.ts'
import { mirrorApi } from './engine-api.ts'
import { mirrorTo } from './mirror-to.ts'

serve(mirrorApi, {
  mirror: async ({ source: address, to, request }, { signal, emit, host }) => {
    await using stack = new AsyncDisposableStack()
    const from = await openLinkedStorage(address, host, signal)
    stack.defer(() => from.close())
    const target = await openStorage(to)
    stack.defer(() => target.close())
    const source = await Repository.open(from, { signal })
    return await mirrorTo(source, target, { ...request, signal, onProgress: throttleProgress(emit) })
  },
})
