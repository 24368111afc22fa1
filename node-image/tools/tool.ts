import { type Program, type System, SystemError } from '../system.ts';
import { ToolError, UsageError } from './options.ts';

/**
 * A program made of a body that returns its exit code, or undefined while it goes on by timers and sockets.
 * Usage errors print the usage and end with 1, refusals of the kernel print their sentence and end with 1.
 */
export function tool(
  name: string,
  usage: string,
  body: (system: System, argv: readonly string[]) => number | undefined,
): Program {
  return (system, argv) => {
    const code = guarded(system, name, usage, () => body(system, argv));
    if (code !== undefined) system.exit(code);
  };
}

/** For callbacks of a running tool: the same ends, from later on. */
export function later(system: System, name: string, step: () => number | undefined): void {
  const code = guarded(system, name, '', step);
  if (code !== undefined) system.exit(code);
}

function guarded(system: System, name: string, usage: string, step: () => number | undefined): number | undefined {
  try {
    return step();
  } catch (error) {
    if (error instanceof UsageError) {
      if (error.message !== '') system.error(`${name}: ${error.message}\n`);
      system.error(usage);
      return 1;
    }
    if (error instanceof ToolError || error instanceof SystemError) {
      system.error(`${name}: ${error.message}\n`);
      return error instanceof ToolError ? error.code : 1;
    }
    throw error;
  }
}
