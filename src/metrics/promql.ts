/**
 * How tightly each form binds in PromQL, the loosest first (promql/parser: or, and and unless, comparisons, sums,
 * products). A function or an aggregation of more than a selector (`nested`) is as good as an atom to Prometheus; a reader
 * is helped by a pair of parentheses around it.
 */
export const binds = { or: 1, and: 2, compare: 3, sum: 4, product: 5, nested: 6, atom: 7 } as const;

export type Binding = (typeof binds)[keyof typeof binds];

/** What prints itself. */
export interface Printed {
  readonly binding: Binding;
  promql(range: string): string;
}

/** As an operand: in parentheses if it binds less tightly than `least`. */
export function operand(of: Printed, range: string, least: Binding = binds.atom): string {
  const text = of.promql(range);
  return of.binding < least ? `(${text})` : text;
}

/** `instance, job, cpu`: the labels that points are told apart by, those that are never named included. */
export function carried(labels: readonly string[], perNetns: boolean): string {
  return ['instance', 'job', ...(perNetns ? ['netns'] : []), ...labels.filter((label) => label !== 'netns')].join(', ');
}

/** A selector: the series of a metric with these label values, any of several where there are several. */
export function selectorText(
  name: string,
  wanted: readonly { readonly label: string; readonly values: readonly string[] }[],
): string {
  const select = wanted.map(({ label, values }) =>
    values.length === 1
      ? `${label}=${JSON.stringify(values[0])}`
      : `${label}=~${JSON.stringify(values.map(escapeRegex).join('|'))}`,
  );
  return select.length === 0 ? name : `${name}{${select.join(',')}}`;
}

function escapeRegex(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
