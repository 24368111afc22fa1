/** What the user wrote cannot be done. The message says where, what was expected and how to fix it; the command exits with 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly exitCode = 2;
}
