import { defaultPlanCosts, type PlanCosts } from './plan.ts'

export interface MaintenanceOptions {
  /** A chain of more segments than this is shortened; default 30. */
  readonly maxChain?: number | undefined
  /** So is one whose segments after its base have more than so many times the base's bytes; default 1. */
  readonly maxGrowth?: number | undefined
  /** But not before they have so many bytes; default 4 MiB. */
  readonly minBytes?: number | undefined
  /** A base of up to so many bytes is written anew where a chain is long; of a larger one, the chain is merged in parts. Default 64 MiB. */
  readonly smallBase?: number | undefined
  /** Neighbours merge if together they have so many times the bytes of the largest, so that a byte is rewritten rarely; default 1.5. */
  readonly worth?: number | undefined
  /** Segments that one merge reads at most; default 256. */
  readonly maxSteps?: number | undefined
  /** New bases and shortcuts in one plan at most; the next plan goes on. Default 64. */
  readonly maxShortcuts?: number | undefined
  readonly costs?: PlanCosts | undefined
}

export type MaintenanceLimits = { readonly [Key in keyof MaintenanceOptions]-?: NonNullable<MaintenanceOptions[Key]> }

const mebibyte = 1024 * 1024

export function limitsOf(options: MaintenanceOptions): MaintenanceLimits {
  return {
    maxChain: Math.max(2, options.maxChain ?? 30),
    maxGrowth: options.maxGrowth ?? 1,
    minBytes: options.minBytes ?? 4 * mebibyte,
    smallBase: options.smallBase ?? 64 * mebibyte,
    worth: options.worth ?? 1.5,
    maxSteps: Math.max(2, options.maxSteps ?? 256),
    maxShortcuts: options.maxShortcuts ?? 64,
    costs: options.costs ?? defaultPlanCosts,
  }
}
