/**
 * The program that asks a restored file the user's questions: in a process of its own, because only by ending the process can a
 * query be ended. Forked by a drill.
 */
import { Worker } from 'node:worker_threads'
import { serve } from '../../engine/serve.ts'
import { queryFile } from '../../source/sqlite/inspect/query-file.ts'
import { queryApi } from './query-api.ts'

const watch = import.meta.url.endsWith('.ts') ? './orphan-watch.ts' : './orphan-watch.js'
new Worker(new URL(watch, import.meta.url)).unref()

serve(queryApi, { query: async ({ path, sql, most }) => queryFile(path, sql, most) })
