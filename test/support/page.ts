export interface Page {
  /** Series by their name and labels as written. */
  readonly series: ReadonlyMap<string, number>;
  readonly types: ReadonlyMap<string, string>;
}

/** Reads a page in the Prometheus text format back. */
export function parsePage(page: string): Page {
  const series = new Map<string, number>();
  const types = new Map<string, string>();
  for (const line of page.split('\n')) {
    const type = /^# TYPE (\S+) (\S+)$/.exec(line);
    if (type !== null) types.set(type[1]!, type[2]!);
    if (line === '' || line.startsWith('#')) continue;
    const space = line.lastIndexOf(' ');
    series.set(line.slice(0, space), Number(line.slice(space + 1)));
  }
  return { series, types };
}

/** A series as the page writes it; for label values without anything to escape. */
export function seriesName(metric: string, labels: Readonly<Record<string, string>>): string {
  const pairs = Object.keys(labels)
    .sort()
    .map((name) => `${name}="${labels[name]!}"`);
  return pairs.length === 0 ? metric : `${metric}{${pairs.join(',')}}`;
}
