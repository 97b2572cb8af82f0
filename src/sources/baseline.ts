import type { Report, Span, Spans } from '../generated/report.ts';
import { baselineSoftirqPerPacket, baselineSpanQuantile } from '../metrics/catalogue/index.ts';
import { OWN_NETNS, type Snapshot } from '../metrics/snapshot.ts';

/** Puts the figures of an earlier report into a snapshot, as series like any other. */
export function addBaseline(snapshot: Snapshot, report: Report): void {
  const { at } = snapshot;
  if (report.cost.host.nsPerPacket !== null) {
    snapshot.add(baselineSoftirqPerPacket, {}, report.cost.host.nsPerPacket, at);
  }
  for (const { device, netns, spans } of report.cost.devices) {
    for (const [name, span] of namedSpans(spans)) {
      const place = netns === OWN_NETNS ? { device } : { device, netns };
      const quantiles = { '0.5': span.p50Ns, '0.9': span.p90Ns, '0.99': span.p99Ns, '0.999': span.p999Ns };
      for (const [quantile, ns] of Object.entries(quantiles)) {
        if (ns === null) continue;
        snapshot.add(baselineSpanQuantile, { ...place, span: name, mode: span.mode, quantile }, ns, at);
      }
    }
  }
  const { collector } = baselineSpanQuantile;
  snapshot.collectors.push({ id: collector, netns: OWN_NETNS, status: 'ok', gaps: [], milliseconds: 0 });
}

function namedSpans(spans: Spans | null): readonly (readonly [string, Span])[] {
  if (spans === null) return [];
  const { taps, stack, forward } = spans;
  return Object.entries({ taps, stack, forward }).flatMap(([name, span]) =>
    span === null ? [] : [[name, span] as const],
  );
}
