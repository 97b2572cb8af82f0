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

/** `metric{label="value"}`, as Prometheus writes it. */
export function seriesName({ metric, labels }: Pick<EvidenceLine, 'metric' | 'labels'>): string {
  const inner = Object.entries(labels).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return inner.length === 0 ? metric : `${metric}{${inner.join(',')}}`;
}
