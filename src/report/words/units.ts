import type { EvidenceLine } from '../../generated/report.ts';
import { formats, significant } from './formats.ts';

/** A figure with its unit, as an evidence line shows it. */
export function withUnit(value: number, unit: string): string {
  if (unit.endsWith('/s')) return `${withUnit(value, unit.slice(0, -2))}/s`;
  switch (unit) {
    case 'ratio':
      return formats.percent(value);
    case 'nanoseconds':
      return formats.ns(value);
    case 'bytes':
      return formats.bytes(value);
    case 'seconds':
      return formats.seconds(value);
    case 'none':
    case 'number':
      return significant(value);
    default:
      return `${significant(value)} ${unit}`;
  }
}

/** What a value was compared with: `>= 95%`. */
export function limitOf({ comparison, threshold, unit }: EvidenceLine): string {
  if (comparison === null || threshold === null) return '-';
  const scaled = /^(?:ratio|(?:nanoseconds|bytes|seconds)(?:\/s)?)$/.test(unit);
  return `${comparison} ${scaled && threshold !== 0 ? withUnit(threshold, unit) : significant(threshold)}`;
}

/** `metric{label="value"}`, as Prometheus writes it; of a quotient with what it is divided by. */
export function seriesName({ metric, over = [], labels }: Pick<EvidenceLine, 'metric' | 'over' | 'labels'>): string {
  const inner = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const name = inner.length === 0 ? metric : `${metric}{${inner.join(',')}}`;
  if (over.length === 0) return name;
  const shown =
    over.length > MOST_OVER ? [...over.slice(0, MOST_OVER - 1), `${over.length - MOST_OVER + 1} more`] : over;
  return `${name} / ${shown.length === 1 ? shown[0]! : `(${shown.join(', ')})`}`;
}

/** Metrics named of those that a value is divided by; its PromQL has them all. */
const MOST_OVER = 3;
