import type { CostPart, Report, Span, Tap } from '../generated/report.ts';
import { bars } from './histogram.ts';
import { cut, paint, paragraph, show, table, type Style } from './layout.ts';
import { partWords } from './phrases.ts';
import { formats, significant } from './words.ts';

const right = { align: 'right' } as const;

/** Rows shown of long tables without --verbose; the JSON has them all. */
const TAP_ROWS = 12;
const DEVICE_ROWS = 8;
const CPU_ROWS = 8;

export function tapsSection({ taps }: Pick<Report, 'taps'>, style: Style, verbose: boolean): string[] {
  if (taps.length === 0) return [];
  const hot = taps.filter(({ onHotPath }) => onHotPath).length;
  const shown = verbose ? taps : taps.slice(0, TAP_ROWS);
  const title =
    `PACKET SOCKETS: ${taps.length}, ` +
    (hot === 0 ? 'none of them a tap on every packet' : `${hot} of them on the path of every packet`);
  const heads = [
    { head: 'Owner' },
    { head: 'Device' },
    { head: 'Tap' },
    { head: 'Hook' },
    { head: 'Ring, fanout' },
    { head: 'Filter' },
    { head: 'Price', ...right },
  ];
  return [
    paint(style, 'strong', cut(title, style.width, style)),
    ...table(
      style,
      heads,
      shown.map((tap) => tapRow(tap, style)),
    ),
    ...more(taps.length - shown.length),
  ];
}

/** Taps run on what is sent as well, after TC egress, where only fentry can time them (net/core/dev.c:dev_queue_xmit_nit). */
export function transmitLine({ taps, probe }: Report, style: Style): string[] {
  if (!taps.some(({ onHotPath, nsPerPacket }) => onHotPath && nsPerPacket !== null)) return [];
  const sockets = probe.plan.find(({ span }) => span === 'sockets');
  if (sockets?.attach === true) return [];
  const why = sockets === undefined ? '' : ` (${sockets.reason})`;
  const words = `Prices are of received packets: what these taps cost on sent ones was not measured${why}.`;
  return paragraph(show(style, words), style.width, '  ', 2);
}

function tapRow(tap: Tap, style: Style): string[] {
  const owners = tap.owners.map(({ pid, comm }) => `${comm} (${pid})`);
  const price = tap.nsPerPacket === null ? '-' : formats.ns(tap.nsPerPacket);
  return [
    owners.length === 0 ? 'unknown' : owners.join(', '),
    tap.netns === '' ? tap.device : `${tap.device} in ${tap.netns}`,
    tap.onHotPath ? 'yes' : `no: ${tap.protocol === '0000' ? 'sends only' : `only ${tap.protocol}`}`,
    tap.hook,
    [tap.ring ?? '?', ...(tap.fanout === null || tap.fanout === 'none' ? [] : [tap.fanout])].join(', '),
    tap.filter ?? '?',
    `${price}${tap.priceCertainty === 'estimated' ? ' (est.)' : ''}`,
  ].map((cell) => show(style, cell, 120));
}

export function costSection({ cost }: Report, style: Style, verbose: boolean): string[] {
  return [
    paint(style, 'strong', 'COST OF A PACKET'),
    ...hostLines(cost.host, style),
    ...deviceTable(cost.devices, style, verbose),
    ...spanLines(cost.devices, style, verbose),
    ...cpuTable(cost.cpus, style, verbose),
  ];
}

function hostLines(host: Report['cost']['host'], style: Style): string[] {
  const facts = [
    ...(host.nsPerPacket === null ? [] : [`${formats.ns(host.nsPerPacket)} of softirq and NAPI time per packet`]),
    ...(host.netRxNsPerPacket === null ? [] : [`${formats.ns(host.netRxNsPerPacket)} per packet measured in NET_RX`]),
    ...(host.nsPerWirePacket === null ? [] : [`${formats.ns(host.nsPerWirePacket)} per frame received`]),
    ...(host.packetsPerSecond === null ? [] : [`${significant(host.packetsPerSecond)} packets/s`]),
    ...(host.groRatio === null ? [] : [`${significant(host.groRatio)} frames to a packet (GRO)`]),
    ...(host.softirqShare === null ? [] : [`${formats.percent(host.softirqShare)} of all CPU time`]),
  ];
  return [
    ...(facts.length === 0 ? [] : paragraph(show(style, `Host: ${facts.join(', ')}.`), style.width, '  ', 2)),
    ...(host.reason === null ? [] : paragraph(show(style, `Not priced: ${host.reason}.`), style.width, '  ', 2)),
    ...(host.breakdown.length === 0
      ? []
      : paragraph(show(style, `Made of: ${parts(host.breakdown)}.`), style.width, '  ', 2)),
  ];
}

function parts(breakdown: readonly CostPart[]): string {
  return breakdown
    .map(({ part, ns, share }) => `${partWords[part].name} ${formats.percent(share)} (${formats.ns(ns)})`)
    .join(', ');
}

function deviceTable(devices: Report['cost']['devices'], style: Style, verbose: boolean): string[] {
  if (devices.length === 0) return [];
  const shown = verbose ? devices : devices.slice(0, DEVICE_ROWS);
  const rows = shown.map(({ device, netns, driver, kind, numaNode, packetsPerSecond, dropped, missed }) =>
    [
      netns === '' ? device : `${device} in ${netns}`,
      driver ?? kind ?? '-',
      numaNode === null ? '-' : String(numaNode),
      formats.rate(packetsPerSecond),
      count(dropped),
      count(missed),
    ].map((cell) => show(style, cell, 120)),
  );
  const heads = [
    { head: 'Device' },
    { head: 'Driver' },
    { head: 'Node', ...right },
    { head: 'Frames', ...right },
    { head: 'Dropped', ...right },
    { head: 'of it missed', ...right },
  ];
  return ['', ...table(style, heads, rows), ...more(devices.length - shown.length)];
}

const BARS = 40;

/** Each span that was timed: its quantiles and its distribution. Without the probe there is one line that says why not. */
function spanLines(devices: Report['cost']['devices'], style: Style, verbose: boolean): string[] {
  const timed = devices.filter(({ spans }) => spans !== null);
  if (timed.length === 0) {
    const reasons = [...new Set(devices.flatMap(({ reason }) => (reason === null ? [] : [reason])))];
    return reasons.flatMap((reason) =>
      paragraph(show(style, `Time of single packets not measured: ${reason}.`), style.width, '  ', 2),
    );
  }
  return (verbose ? timed : timed.slice(0, DEVICE_ROWS)).flatMap(({ device, netns, spans, breakdown, groRatio }) => [
    '',
    ...paragraph(
      show(
        style,
        `${netns === '' ? device : `${device} in ${netns}`}${groRatio === null ? '' : `: ${significant(groRatio)} frames to a packet (GRO)`}`,
      ),
      style.width,
      '  ',
    ),
    ...Object.entries(spans ?? {}).flatMap(([name, span]) =>
      span === null ? [] : spanLine(name, span as Span, style),
    ),
    ...(breakdown.length === 0 ? [] : paragraph(show(style, `made of ${parts(breakdown)}`), style.width, '    ', 2)),
  ]);
}

function spanLine(name: string, span: Span, style: Style): string[] {
  const ns = (value: number | null): string => (value === null ? '?' : formats.ns(value));
  if (span.count === 0) {
    const words = `${name} (${span.mode}): no packet was timed; floor ${ns(span.floorNs)}`;
    return paragraph(show(style, words), style.width, '    ', 2);
  }
  const words =
    `${name} (${span.mode}): p50 ${ns(span.p50Ns)}, p90 ${ns(span.p90Ns)}, p99 ${ns(span.p99Ns)}, max ${ns(span.maxNs)}, ` +
    `mean ${ns(span.avgNs)}, floor ${ns(span.floorNs)}, ${formats.count(span.count)} packets timed, ${formats.count(span.lost)} lost`;
  const drawn = bars(span.histogram, BARS, style.unicode);
  return [
    ...paragraph(show(style, words), style.width, '    ', 2),
    ...(drawn === undefined
      ? []
      : [
          show(style, `      ${formats.ns(drawn.fromNs)} |`) +
            drawn.bars +
            show(style, `| ${drawn.toNs === null ? 'and more' : formats.ns(drawn.toNs)}`),
        ]),
  ];
}

function cpuTable(cpus: Report['cost']['cpus'], style: Style, verbose: boolean): string[] {
  const busy = cpus
    .filter(({ softirqSeconds, packets }) => (softirqSeconds ?? 0) > 0 || (packets ?? 0) > 0)
    .sort((a, b) => (b.softirqShare ?? 0) - (a.softirqShare ?? 0));
  const shown = verbose ? cpus : busy.slice(0, CPU_ROWS);
  if (shown.length === 0) return [];
  const rows = shown.map((cpu) =>
    [
      cpu.dedicatedBy.length === 0 ? cpu.cpu : `${cpu.cpu} (${cpu.dedicatedBy.join(', ')})`,
      cpu.numaNode === null ? '-' : String(cpu.numaNode),
      cpu.softirqShare === null ? '-' : formats.percent(cpu.softirqShare),
      cpu.packetsPerSecond === null ? '-' : formats.rate(cpu.packetsPerSecond),
      cpu.nsPerPacket === null ? '-' : formats.ns(cpu.nsPerPacket),
      cpu.netRxNsPerPacket === null ? '-' : formats.ns(cpu.netRxNsPerPacket),
      cpu.tapShare === null ? '-' : formats.percent(cpu.tapShare),
      count(cpu.dropped),
      count(cpu.squeezed),
    ].map((cell) => show(style, cell)),
  );
  const heads = [
    { head: 'CPU' },
    { head: 'Node', ...right },
    { head: 'Softirq', ...right },
    { head: 'Packets', ...right },
    { head: 'per packet', ...right },
    { head: 'in NET_RX', ...right },
    { head: 'Taps', ...right },
    { head: 'Dropped', ...right },
    { head: 'Squeezed', ...right },
  ];
  return ['', ...table(style, heads, rows), ...(verbose ? [] : more(busy.length - shown.length))];
}

function count(value: number | null): string {
  return value === null ? '-' : formats.count(value);
}

function more(left: number): string[] {
  return left > 0 ? [`  and ${left} more (--verbose, or --format json)`] : [];
}
