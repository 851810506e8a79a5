/** What a lease that somebody else has asks of people. What else can be done depends on who asked. */
export const heldHint = 'Wait for it to end. If it was killed, its lease frees itself.'
