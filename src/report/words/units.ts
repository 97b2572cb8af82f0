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

/** A count that is not what lies between its two readings, by so little that it is their pace; a wrap or a reset is more. */
const LEAST_PACE = 0.5;

/** Counters are read one file after the other: that what they rose by is told for the time of the window; undefined where it is no other. */
export function pacedWords(evidence: readonly EvidenceLine[]): string | undefined {
  const paced = evidence.some(({ before, after, value, over = [] }) => {
    if (before === null || after === null || over.length > 0 || value <= 0) return false;
    const rise = after - before;
    return Math.abs(value - rise) >= 1 && value > rise * LEAST_PACE && value < rise / LEAST_PACE;
  });
  return paced
    ? 'Counts are of the whole window, at the pace of two readings that lay a little closer together or further apart.'
    : undefined;
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
