/** The forms that fields of a file take, each with a sentence for when it is not so. */
import { z } from 'zod';
import { expected } from './topology-problems.ts';

/** A string of one form; `pattern` is what editors check where `test` is more than a regular expression. */
export function text(what: string, test?: RegExp | ((text: string) => boolean), pattern?: string) {
  const schema = z.string({ error: expected(what) });
  if (test === undefined) return schema;
  if (test instanceof RegExp) return schema.regex(test, { error: expected(what) });
  const refined = schema.refine(test, { error: expected(what) });
  return pattern === undefined ? refined : refined.meta({ pattern });
}

export const flag = () => z.boolean({ error: expected('true or false') });
export const list = <T extends z.ZodType>(item: T, what: string) => z.array(item, { error: expected(what) });
export const map = <K extends z.ZodString, V extends z.ZodType>(key: K, value: V, what: string) =>
  z.record(key, value, { error: expected(what) });

/** Gives a form its name in the JSON Schema. */
export const named = <T extends z.ZodType>(id: string, schema: T): T => schema.meta({ id }) as T;

/** A map of known fields. The message of an unknown one is the list of the known, for the hint. */
export function fields<S extends z.ZodRawShape>(what: string, shape: S) {
  const wrongType = expected(what);
  return z.strictObject(shape, {
    error: (issue) => (issue.code === 'unrecognized_keys' ? Object.keys(shape).join(', ') : wrongType(issue)),
  });
}

export function number(least: number, most: number) {
  const what = `a whole number from ${least} to ${most}`;
  return z
    .int({ error: expected(what) })
    .min(least, { error: expected(what) })
    .max(most, { error: expected(what) });
}
