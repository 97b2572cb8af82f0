import { fail, ok, type Result } from './result.ts';

/** How much JSON may be taken into memory. */
export interface JsonBudget {
  values: number;
}

/**
 * A value of three bytes takes a hundred in memory: 60 MiB of `{},` are 2 GB, and half a minute. The manifest of a host with
 * a thousand namespaces and two thousand devices has a million and a half values.
 */
export function jsonBudget(values = 4_000_000): JsonBudget {
  return { values };
}

/** Checks and renderers go down one call for each level. Reports have some ten. */
const DEEPEST = 200;

export function parseJson(bytes: Uint8Array, budget = jsonBudget()): Result<unknown> {
  // Every value but the first of a list or an object comes after a comma.
  let depth = 0;
  let quoted = false;
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === QUOTE) quoted = !quoted;
    else if (quoted) at += byte === BACKSLASH ? 1 : 0;
    else if (byte === COMMA) budget.values -= 1;
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      budget.values -= 1;
      depth += 1;
      if (depth > DEEPEST) return fail(`not JSON of ours: lists and objects within each other ${DEEPEST} deep`, at);
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth -= 1;
  }
  if (budget.values < 0) return { ...fail('more values than are taken into memory'), tooMuch: true };
  try {
    return ok(JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()) as unknown);
  } catch (error) {
    // The message may quote the file, with its line ends.
    if (error instanceof SyntaxError) return fail(`not JSON: ${error.message.replace(/\s+/g, ' ').slice(0, 100)}`);
    throw error;
  }
}

const [QUOTE, COMMA, OPEN_LIST, BACKSLASH, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = Buffer.from('",[\\]{}');

/** What a JSON value or a dump is, before anything of it is used. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A count as JSON holds one exactly. */
export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}
