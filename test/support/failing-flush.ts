import { open } from 'node:fs/promises'
import { mock } from 'node:test'

/** Until it is disposed of, `datasync` of every file fails as a broken disk makes it fail; counts the calls. */
export async function failingFlush(): Promise<Disposable & { readonly calls: () => number }> {
  const handle = await open(import.meta.filename)
  const prototype: Pick<typeof handle, 'datasync'> = Object.getPrototypeOf(handle)
  await handle.close()
  const broken = mock.method(prototype, 'datasync', () =>
    Promise.reject(Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO', syscall: 'fdatasync' })),
  )
  return { calls: () => broken.mock.callCount(), [Symbol.dispose]: () => broken.mock.restore() }
}
