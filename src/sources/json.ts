import { fail, ok, type Result } from '../metrics/result.ts';

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

export function parseJson(bytes: Uint8Array, budget = jsonBudget()): Result<unknown> {
  // Every value but the first of a list or an object comes after a comma. Those within strings are counted as well.
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at];
    if (byte === 0x2c || byte === 0x5b || byte === 0x7b) budget.values -= 1;
  }
  if (budget.values < 0) return fail('more values than are taken into memory');
  try {
    return ok(JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString()) as unknown);
  } catch (error) {
    if (error instanceof SyntaxError) return fail(`not JSON: ${error.message.slice(0, 100)}`);
    throw error;
  }
}
