import { byText } from '../base/order.ts';
import { exposedAs, type Labels, type Metric } from './metric.ts';
import { labelKey, type Series, type Snapshot } from './snapshot.ts';

/**
 * A snapshot as a page of the Prometheus text format 0.0.4: HELP and TYPE once per metric, metrics and series in order, no
 * timestamps (the textfile collector refuses them).
 * @param shown which metrics the page has
 */
export function expose(snapshot: Snapshot, shown: (metric: Metric) => boolean = () => true): string {
  const lines: string[] = [];
  for (const metric of snapshot
    .metrics()
    .filter(shown)
    .sort((a, b) => byText(exposedAs(a).name, exposedAs(b).name))) {
    const { name, per, timeLabel } = exposedAs(metric);
    lines.push(`# HELP ${name} ${escapeHelp(metric.help)}`, `# TYPE ${name} ${metric.type}`);
    for (const { series, labels } of inOrder(snapshot.series(metric), timeLabel)) {
      lines.push(`${name}${labels} ${formatValue(series.value / per)}`);
    }
  }
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`;
}

/**
 * What no node_exporter has a name for. One that runs its own collectors may not be given the others as well: it takes
 * either, at random, where two say the same with another help text.
 */
export function isOwn({ name }: Metric): boolean {
  return /^(pktcost_|node_ebpf_pmd_jitter_|node_nodeconfig_)/.test(name);
}

function inOrder(
  all: readonly Series[],
  timeLabel: string | undefined,
): readonly { readonly series: Series; readonly labels: string }[] {
  return all
    .map((series) => ({
      series,
      labels: formatLabels(timeLabel === undefined ? series.labels : secondsIn(series.labels, timeLabel)),
      key: labelKey(series.labels),
    }))
    .sort((a, b) => byText(a.key, b.key));
}

function secondsIn(labels: Labels, timeLabel: string): Labels {
  const ns = Number(labels[timeLabel]);
  return Number.isFinite(ns) ? { ...labels, [timeLabel]: formatValue(ns / 1e9) } : labels;
}

function formatLabels(labels: Labels): string {
  const names = Object.keys(labels).sort();
  if (names.length === 0) return '';
  return `{${names.map((name) => `${name}="${escapeLabel(labels[name]!)}"`).join(',')}}`;
}

/** Host text in a label can end neither the line nor the value. */
function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

function escapeHelp(help: Metric['help']): string {
  return help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}

/**
 * The shortest digits that read back as the same number, in the form that Go's 'g' gives them and every exporter writes:
 * with an exponent, of two digits at least, below 1e-4 and from 1e+06.
 */
export function formatValue(value: number): string {
  if (value === 0) return '0';
  const [mantissa = '', exponent = ''] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 6) return String(value);
  return `${mantissa}e${power < 0 ? '-' : '+'}${Math.abs(power).toString().padStart(2, '0')}`;
}
