/** The configuration file of a command: given, or the one in the working folder. */
export interface ConfigFile {
  readonly path: string
  /** By `--config` or HOLDFAST_CONFIG: then it must be there. */
  readonly isGiven: boolean
}

export const usualConfigFile = 'holdfast.yaml'

export function configFileOf({ config }: { readonly config?: string | undefined }): ConfigFile {
  return config === undefined ? { path: usualConfigFile, isGiven: false } : { path: config, isGiven: true }
}
