import type { z } from 'zod'

/** The types of a function that an engine offers: what it takes, what it reports while it works, what it gives. */
export interface Signature {
  readonly input: unknown
  readonly event: unknown
  readonly output: unknown
}

export type Signatures = Readonly<Record<string, Signature>>

/** What an engine can be asked for, shared by host and engine. What crosses the channel is parsed on arrival. */
export type EngineApi<S extends Signatures> = {
  readonly [Name in keyof S]: {
    readonly input: z.ZodType<S[Name]['input']>
    readonly event: z.ZodType<S[Name]['event']>
    readonly output: z.ZodType<S[Name]['output']>
  }
}
