import type { CostPart, DeviceCost, Report, Span } from '../../generated/report.ts';
import { hostFigures, partsOf, partWords, placed, spanWords, timed, unpricedWords } from '../words/phrases.ts';
import { formats } from '../words/formats.ts';
import { deviceTable } from '../tables/devices.ts';
import { spansOf, spanTable, untimedWords, type SpanRow } from '../tables/spans.ts';
import { markup, nothing, type Markup } from './markup.ts';
import { drawTable, folded, name } from './table.ts';
import { stackedBar } from './svg/bar.ts';
import { histogram, reachOf, type Reach } from './svg/histogram.ts';

/** Devices drawn; the table has more. */
const BARS = 12;
const HISTOGRAMS = 12;
const REASONS = 10;
const ROWS = 200;

export function costSection({ cost }: Report): Markup {
  const { host, devices } = cost;
  const figures = hostFigures(cost);
  const unpriced = unpricedWords(host);
  return markup`<section aria-labelledby="cost">
<h2 id="cost">Cost of a packet</h2>
${
  figures.length === 0
    ? nothing
    : markup`<dl class="figures">
${figures.map(({ label, value, note }) => markup`<div><dt>${label}<small>${note}</small></dt><dd>${value}</dd></div>\n`)}</dl>
`
}${unpriced === undefined ? nothing : markup`<p class="faint">${unpriced}</p>\n`}${bars(cost)}${
    devices.length === 0 ? nothing : deviceDetails(devices, cost.devicesLeftOut ?? 0)
  }</section>
`;
}

interface Row {
  readonly label: Markup;
  readonly plain: string;
  readonly parts: readonly CostPart[];
  readonly wholeNs: number;
}

function bars({ host, devices }: Report['cost']): Markup {
  const sum = (parts: readonly CostPart[]): number => parts.reduce((total, { ns }) => total + ns, 0);
  const priced = devices.filter(({ breakdown, packets }) => breakdown.length > 0 && packets > 0);
  const rows: Row[] = [
    {
      label: markup`<b>All devices</b>`,
      plain: 'all devices',
      parts: host.breakdown,
      wholeNs: host.breakdown.length > 0 ? sum(host.breakdown) : (host.nsPerPacket ?? 0),
    },
    ...priced.slice(0, BARS).map((device) => ({
      label: markup`${name(placed(device.device, device.netns))} <span class="faint">${formats.frames(device.packetsPerSecond)}</span>`,
      plain: placed(device.device, device.netns),
      parts: device.breakdown,
      wholeNs: sum(device.breakdown),
    })),
  ].filter(({ wholeNs }) => wholeNs > 0);
  if (rows.length === 0) return nothing;
  const scaleNs = Math.max(...rows.map(({ wholeNs }) => wholeNs));
  const split = rows.some(({ parts }) => parts.length > 0);
  return markup`<figure class="stacked">
<figcaption>${
    split
      ? 'What a packet costs, in CPU time of one pass into the stack, on the CPUs that received it'
      : 'What a packet costs, in CPU time of one pass into the stack; not split into parts, since no packet was timed'
  }</figcaption>
<ul>
${rows.map(
  ({ label, plain, parts, wholeNs }, index) =>
    markup`<li><span class="who">${label}</span>${stackedBar({ id: `bar-${index}`, title: `Cost of a packet of ${plain}: ${formats.ns(wholeNs)}`, parts, wholeNs, scaleNs })}<span class="total">${formats.ns(wholeNs)}</span></li>\n`,
)}</ul>
${split ? legend(rows) : nothing}</figure>
`;
}

function legend(rows: readonly Row[]): Markup {
  const drawn = new Set<string>(rows.flatMap(({ parts }) => partsOf(parts).map(({ part }) => part)));
  const named = Object.entries(partWords).filter(([part]) => drawn.has(part));
  return markup`<ul class="legend">${named.map(
    ([part, words]) =>
      markup`<li><svg class="key" width="12" height="12" aria-hidden="true" focusable="false"><rect class="part-${part}" width="12" height="12"/></svg> <b>${words.name}</b> <span class="faint">${words.contains}</span></li>`,
  )}</ul>
`;
}

function deviceDetails(devices: readonly DeviceCost[], leftOut: number): Markup {
  return folded(
    devices.length === 1
      ? '1 device that received packets'
      : `${devices.length + leftOut} devices that received packets${leftOut === 0 ? '' : `, ${leftOut} of them left out of this report`}`,
    [drawTable(deviceTable, devices, { caption: 'Devices, busiest first', className: 'wide', most: ROWS })],
  );
}

interface Drawn extends SpanRow {
  readonly baseline: Span | undefined;
}

export function spansSection({ cost }: Report, baseline: Report | undefined): Markup {
  const found = cost.devices.filter(timed);
  const spans = found.slice(0, HISTOGRAMS).flatMap((device) => drawnSpans(device, baseline));
  const rows = cost.devices.flatMap(spansOf);
  const untimed = untimedWords(cost.devices).slice(0, REASONS);
  const reach = (kind: SpanRow['kind']): Reach =>
    reachOf(spans.filter((each) => each.kind === kind).flatMap((each) => [each.span, each.baseline]));
  const reaches = { taps: reach('taps'), stack: reach('stack'), forward: reach('forward') };
  return markup`<section aria-labelledby="spans">
<h2 id="spans">Per-packet latency</h2>
${
  spans.length > 0
    ? markup`<div class="spans">
${spans.map((each, index) => figure(each, reaches[each.kind], index))}</div>
`
    : untimed.length === 0
      ? markup`<p>No packet was timed: none came by.</p>
`
      : nothing
}${
    found.length > HISTOGRAMS
      ? markup`<p class="faint">${found.length - HISTOGRAMS} more devices are not drawn.</p>
`
      : nothing
  }${
    rows.length === 0
      ? nothing
      : drawTable(spanTable, rows, { caption: 'How long packets took', className: 'widest', most: ROWS })
  }${untimed.map(
    (words) => markup`<p class="faint">${words}</p>
`,
  )}</section>
`;
}

function drawnSpans(device: DeviceCost, baseline: Report | undefined): Drawn[] {
  const before = baseline?.cost.devices.find(
    (each) => each.device === device.device && each.netns === device.netns,
  )?.spans;
  return spansOf(device)
    .filter(({ span }) => span.count > 0)
    .map((row) => {
      const earlier = before?.[row.kind] ?? undefined;
      // Spans of different modes contain different work: one must not be held against the other.
      return { ...row, baseline: earlier?.mode === row.span.mode ? earlier : undefined };
    });
}

function figure({ device, kind, span, baseline }: Drawn, reach: Reach, index: number): Markup {
  const title = `${placed(device.device, device.netns)}: ${kind}`;
  return markup`<figure class="span">
<figcaption><h3>${name(placed(device.device, device.netns))} ${kind}</h3><span class="faint">${spanWords[kind]} (${span.mode})</span></figcaption>
${histogram({ id: `span-${index}`, title, kind, span, baseline, reach })}
</figure>
`;
}
