/** Codes of a repository that is away: of the next database it would only have to be waited for the same. */
export const awayCodes = ['STORAGE_TRANSIENT', 'STORAGE_THROTTLED', 'STORAGE_DENIED'] as const
