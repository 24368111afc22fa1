/** What the command ends with; documented in its help. */
export const ExitCode = { done: 0, failed: 1, usage: 2, cannot: 3, interrupted: 130 } as const;
