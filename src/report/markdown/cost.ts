/** What a packet costs, and the packets that were lost. */
import type { Profile, Report } from '../../generated/report.ts';
import { busyCpus, cpuTable } from '../tables/cpus.ts';
import { deviceTable } from '../tables/devices.ts';
import { spansOf, spanTable, untimedWords } from '../tables/spans.ts';
import { lossesOf, lossTable } from '../tables/losses.ts';
import { deviceProfileTable, directionWords, partTable, samplingWords } from '../tables/profile.ts';
import { hostFigures, partsOf, partWords, rulerWords, unpricedWords } from '../words/phrases.ts';
import { formats } from '../words/formats.ts';
import { folded, prose } from './syntax.ts';
import { drawTable } from './table.ts';
import { firstOf } from './cut.ts';

export function costSection({ cost: found, profile, host: { machine } }: Report, rows: number): string[] {
  const { host, devices, cpus } = found;
  const busy = busyCpus(cpus);
  const spans = devices.flatMap(spansOf);
  const unpriced = unpricedWords(host);
  const rulers = rulerWords({ cost: found, ...(profile === undefined ? {} : { profile }) });
  return [
    '### Cost of a packet',
    '',
    ...hostFigures(found).map(({ label, value, note }) => `- ${value} ${label} (${note})`),
    ...(rulers === undefined ? [] : [`- ${rulers}`]),
    ...(unpriced === undefined ? [] : [`- ${prose(unpriced)}`]),
    ...partsOf(host.breakdown).map(
      ({ part, ns, share }) =>
        `- ${formats.percent(share)} ${partWords[part].name}: ${formats.ns(ns)}, ${partWords[part].contains}`,
    ),
    '',
    ...(profile === undefined ? [] : profileSection(profile, machine, rows)),
    ...(devices.length === 0
      ? []
      : folded(`Devices: ${devices.length + (found.devicesLeftOut ?? 0)}`, firstOf(deviceTable, devices, rows))),
    ...(spans.length === 0 ? [] : folded(`Per-packet latency: ${spans.length}`, firstOf(spanTable, spans, rows))),
    ...untimedWords(devices)
      .slice(0, rows)
      .flatMap((line) => [prose(line), '']),
    ...(busy.length === 0 ? [] : folded(`CPUs with packet work: ${busy.length}`, firstOf(cpuTable, busy, rows))),
  ];
}

function profileSection(profile: Profile, machine: string | null, rows: number): string[] {
  return [
    ...profile.directions
      .filter(({ samples }) => samples > 0)
      .flatMap((direction) => {
        const { title, rows: shown, below, lines } = directionWords(direction, rows);
        return [
          `${prose(title)}.`,
          '',
          ...(shown.length === 0 ? [] : [...drawTable(partTable, shown), '']),
          ...(shown.length === 0 || below === '' ? [] : [`${below}.`, '']),
          ...(shown.length === 0 ? [] : lines.flatMap((line) => [prose(line), ''])),
        ];
      }),
    ...(profile.devices.length === 0
      ? []
      : folded(
          `Watched devices by price: ${profile.devices.length}`,
          firstOf(deviceProfileTable, profile.devices, rows),
        )),
    prose(samplingWords(profile, machine)),
    '',
  ];
}

export function dropsSection(report: Report, rows: number): string[] {
  const { rows: lost, none, unknown } = lossesOf(report);
  return [
    '### Losses by counter',
    '',
    ...(lost.length === 0 ? [] : firstOf(lossTable, lost, rows)),
    ...(none.length === 0 ? [] : [`None counted: ${prose(none.join('; '))}.`, '']),
    ...(unknown.length === 0 ? [] : [`Not known: ${prose(unknown.join('; '))}.`, '']),
  ];
}
