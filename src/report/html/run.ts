import type { Report } from '../../generated/report.ts';
import { collectorGroups, few, type CollectorGroup, ownCost, probeState } from '../words/phrases.ts';
import { collectorTable, lackingRows } from '../tables/collectors.ts';
import { actionTable, limitTable, planRows, planTable, runTitles } from '../tables/run.ts';
import { formats } from '../words/formats.ts';
import { markup, nothing, type Markup } from './markup.ts';
import { drawTable, folded } from './table.ts';

const ROWS = 200;
/** Reasons shown before the rest is folded. */
const REASONS = 10;

export function notMeasuredSection({ notMeasured, collectors }: Report): Markup {
  const lacking = lackingRows(collectors);
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
}${lacking.length === 0 ? nothing : lackingDetails(lacking)}</section>
`;
}

function lackingDetails(lacking: readonly CollectorGroup[]): Markup {
  const table = drawTable(collectorTable, lacking, {
    caption: 'Collectors that lack something',
    className: 'stack',
    most: ROWS,
  });
  return lacking.length <= REASONS ? table : folded(`${lacking.length} collectors lack something`, [table]);
}

/** What the run cost the host, and how the answer was come by. */
export function runSection(report: Report): Markup {
  const { probe, selfCost, thresholds, collectors, baseline } = report;
  const own = ownCost(selfCost);
  const facts: [string, string][] = [
    ['Probe', probeState(probe)],
    ['Overhead of this run', own.length === 0 ? 'not known' : own.join(', ')],
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
      : drawTable(limitTable, thresholds, { caption: runTitles.limits, className: 'stack' })
  }${
    probe.plan.length === 0
      ? nothing
      : folded(runTitles.plan, [
          drawTable(planTable, planRows(probe.plan), { caption: 'Plan of the probe', className: 'wide', most: ROWS }),
        ])
  }${
    collectors.length === 0
      ? nothing
      : folded('Collectors', [
          drawTable(collectorTable, collectorGroups(collectors), {
            caption: 'Collectors',
            className: 'stack',
            most: ROWS,
          }),
        ])
  }</section>
`;
}

function actions({ selfCost }: Report): Markup {
  if (selfCost.actions.length === 0) return markup`<p>Nothing was changed on the host.</p>\n`;
  return drawTable(actionTable, selfCost.actions, {
    caption: runTitles.actions,
    className: 'stack',
  });
}
