import { fail, ok, type Result } from '../../base/result.ts';

const MATCHER = /\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*(=~|!~|!=|=)\s*("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')\s*/y;

/** The label matchers of `--match`, e.g. `{job="node"}`, each as PromQL has it; the braces may be left out. */
export function parseMatch(text: string): Result<readonly string[]> {
  const trimmed = text.trim();
  const inner = trimmed.startsWith('{') && trimmed.endsWith('}') ? trimmed.slice(1, -1) : trimmed;
  const matchers: string[] = [];
  for (let at = 0; at < inner.length;) {
    MATCHER.lastIndex = at;
    const match = MATCHER.exec(inner);
    const next = inner[MATCHER.lastIndex];
    if (match === null || (next !== undefined && next !== ',')) return fail('not like {job="node"}');
    const [, label = '', operator = '', value = ''] = match;
    if (label === '__name__') return fail('the metrics are chosen by what the rules need: leave out __name__');
    matchers.push(`${label}${operator}${value}`);
    at = MATCHER.lastIndex + 1;
  }
  return ok(matchers);
}

/** A label that has one of these values. */
export function oneOf(label: string, values: readonly string[]): string {
  const [only] = values;
  if (values.length === 1 && only !== undefined) return `${label}=${JSON.stringify(only)}`;
  return `${label}=~${JSON.stringify(values.map((value) => value.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')).join('|'))}`;
}

export function selector(...matchers: readonly string[]): string {
  return `{${matchers.join(',')}}`;
}
