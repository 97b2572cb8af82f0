import type { Report } from '../generated/report.ts';
import { left } from './html-cost.ts';
import { markup, nothing, type Markup } from './html-markup.ts';
import { folded, name, tableOf } from './html-table.ts';
import { collectorGroups, few, type CollectorGroup, ownCost, placed, probeState } from './phrases.ts';
import { formats, significant } from './words.ts';

const ROWS = 200;
/** Reasons shown before the rest is folded. */
const REASONS = 10;
const right = { align: 'right' } as const;

export function notMeasuredSection({ notMeasured, collectors }: Report): Markup {
  const lacking = collectorGroups(collectors.filter(({ status }) => status === 'partial' || status === 'unavailable'));
  const items = notMeasured
    .slice(0, ROWS)
    .map(
      ({ reason, sources, rules }) =>
        markup`<li>${reason}${
          sources.length === 0 ? nothing : markup` <span class="faint">(${few(sources)})</span>`
        } <span class="codes">${rules.join(', ')}</span></li>\n`,
    );
  return markup`<section aria-labelledby="unmeasured">
<h2 id="unmeasured">Not measured, and why</h2>
${
  notMeasured.length === 0
    ? markup`<p>Every rule had what it needs.</p>\n`
    : markup`<ul class="reasons">
${items.slice(0, REASONS)}</ul>
${items.length > REASONS ? folded(`${items.length - REASONS} more reasons`, [markup`<ul class="reasons">\n${items.slice(REASONS)}</ul>`]) : nothing}`
}${lacking.length === 0 ? nothing : lackingTable(lacking)}</section>
`;
}

function lackingTable(lacking: readonly CollectorGroup[]): Markup {
  const table = tableOf({
    caption: `Collectors that lack something${left(lacking.length - ROWS)}`,
    className: 'stack',
    heads: [{ name: 'Collector' }, { name: 'Status', whole: true }, { name: 'Why' }],
    rows: lacking
      .slice(0, ROWS)
      .map(({ row, why, netns }) => [
        row.id,
        row.status,
        netns.length === 0 ? why : `${why}, in namespace ${few(netns)}`,
      ]),
  });
  return lacking.length <= REASONS ? table : folded(`${lacking.length} collectors lack something`, [table]);
}

/** What asking cost the host, and how the answer was come by. */
export function runSection(report: Report): Markup {
  const { probe, selfCost, thresholds, collectors, baseline } = report;
  const own = ownCost(selfCost);
  const facts: [string, string][] = [
    ['Probe', probeState(probe)],
    ['Cost of asking', own.length === 0 ? 'not known' : own.join(', ')],
    ...(selfCost.budget === null
      ? []
      : [['Budget of the probe', `${formats.percent(selfCost.budget)} of all CPU time`] as [string, string]]),
    ...(baseline === null ? [] : [['Compared with', baseline] as [string, string]]),
  ];
  return markup`<section aria-labelledby="run">
<h2 id="run">This measurement</h2>
<dl class="facts">
${facts.map(([label, value]) => markup`<div><dt>${label}</dt><dd>${value}</dd></div>\n`)}</dl>
${actions(report)}${
    thresholds.length === 0
      ? nothing
      : tableOf({
          caption: 'Limits the configuration changed',
          className: 'stack',
          heads: [{ name: 'Limit' }, { name: 'In force', ...right }, { name: 'Default', ...right }, { name: 'Unit' }],
          rows: thresholds.map(({ code, name: limit, value, default: usual, unit }) => [
            `${code} ${limit}`,
            significant(value),
            usual === null ? '-' : significant(usual),
            unit ?? '-',
          ]),
        })
  }${probe.plan.length === 0 ? nothing : folded('What the probe was attached to, and what not', [planTable(report)])}${
    collectors.length === 0 ? nothing : folded('Collectors', [collectorTable(report)])
  }</section>
`;
}

function actions({ selfCost }: Report): Markup {
  if (selfCost.actions.length === 0) return markup`<p>Nothing was changed on the host.</p>\n`;
  return tableOf({
    caption: 'What pktcost did to itself or to the host',
    className: 'stack',
    heads: [{ name: 'Action' }, { name: 'When', ...right }, { name: 'Why' }, { name: 'Put back' }],
    rows: selfCost.actions.map(({ action, seconds, reason, restored }) => [
      action,
      seconds === null ? '-' : formats.seconds(seconds),
      reason,
      restored === null ? 'nothing to put back' : restored ? 'yes, verified' : 'NO',
    ]),
  });
}

function planTable({ probe }: Report): Markup {
  const shown = probe.plan.slice(0, ROWS);
  return tableOf({
    caption: `Plan of the probe${left(probe.plan.length - shown.length)}`,
    className: 'wide',
    heads: [
      { name: 'Device' },
      { name: 'Span', whole: true },
      { name: 'Attached', whole: true },
      { name: 'Mode', whole: true },
      { name: 'Driver' },
      { name: 'Why' },
      { name: 'Price' },
    ],
    rows: shown.map(({ device, netns, span, attach, mode, driver, reason, price }) => [
      device === '' ? 'host' : name(placed(device, netns)),
      span,
      attach ? 'yes' : 'no',
      mode ?? '-',
      driver ?? '-',
      reason,
      price ?? '-',
    ]),
  });
}

function collectorTable({ collectors }: Report): Markup {
  const groups = collectorGroups(collectors);
  return tableOf({
    caption: `Collectors${left(groups.length - ROWS)}`,
    className: 'stack',
    heads: [
      { name: 'Collector' },
      { name: 'Status', whole: true },
      { name: 'Took', ...right },
      { name: 'Namespaces' },
      { name: 'Why' },
    ],
    rows: groups
      .slice(0, ROWS)
      .map(({ row, why, netns }) => [
        row.id,
        row.status,
        formats.seconds(row.milliseconds / 1000),
        netns.length === 0 ? '-' : few(netns),
        why === '' ? '-' : why,
      ]),
  });
}
