/** Resolves `holdfast` to this source tree, as an installed package resolves to its built files. */
import { registerHooks } from 'node:module'

const sources: Readonly<Record<string, URL>> = {
  holdfast: new URL('../../../src/index.ts', import.meta.url),
  'holdfast/conformance': new URL('../../../src/conformance/index.ts', import.meta.url),
}

registerHooks({
  resolve(specifier, context, next) {
    const source = Object.hasOwn(sources, specifier) ? sources[specifier] : undefined
    return source === undefined ? next(specifier, context) : { url: source.href, shortCircuit: true }
  },
})
