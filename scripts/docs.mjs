// Writes what follows from declarations: the reference pages docs/METRICS.md, docs/RULES.md and docs/REPORT.md, which rules
// docs/VALIDATION.md has no rows of, the man pages, the completion of shells. `--check` compares.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

import { format, resolveConfig } from 'prettier';

import * as catalogue from '../build/src/metrics/catalogue/index.js';
import { exposedAs } from '../build/src/metrics/metric.js';
import { rules } from '../build/src/rules/index.js';
import { completions } from './completion.mjs';
import { manPages } from './man.mjs';
import { reportPage } from './report-page.mjs';
import { validationPage } from './validation.mjs';

const cell = (text) => text.replaceAll('|', '\\|');

function metricsPage() {
  const lines = [
    '# Metrics',
    '',
    'Generated from `src/metrics/catalogue/`. Type is the type on the exposition page; u32 counters are subtracted modulo 2^32.',
    '',
  ];
  const metrics = Object.values(catalogue).filter((each) => typeof each === 'object' && 'name' in each);
  const families = Object.entries(catalogue).filter(([, each]) => typeof each === 'object' && 'prefix' in each);
  for (const collector of [...new Set(metrics.map((metric) => metric.collector))].sort()) {
    lines.push(
      `## ${collector}`,
      '',
      '| metric | type | unit | labels | source | meaning |',
      '|---|---|---|---|---|---|',
    );
    for (const metric of metrics.filter((each) => each.collector === collector)) {
      const width = metric.width === 'u64' ? '' : `, ${metric.width}`;
      const { name, unit } = exposedAs(metric);
      const inReports = name === metric.name ? '' : ` In reports \`${metric.name}\`.`;
      lines.push(
        `| \`${name}\` | ${metric.type}${width} | ${unit} | ${metric.labels.join(', ')} | \`${cell(metric.source)}\` | ${cell(metric.help)}${inReports} |`,
      );
    }
    lines.push('');
  }
  lines.push('## Families', '', 'Members named by the host, whatever fields this kernel has:', '');
  for (const [, each] of families)
    if ('prefix' in each) lines.push(`- \`${each.prefix}*\` (collector ${each.collector})`);
  return `${lines.join('\n')}\n`;
}

function rulesPage() {
  const lines = [
    '# Rules',
    '',
    'Generated from `src/rules/`. Codes are stable and never reused; `pktcost rules explain CODE` prints the page.',
    '',
  ];
  lines.push('| code | rule | role | judged for each | what it says |', '|---|---|---|---|---|');
  for (const { code, id, role, scope, title } of rules) {
    lines.push(`| [${code}](rules/${code}.md) | ${id} | ${role} | ${scope.join(', ') || 'host'} | ${cell(title)} |`);
  }
  lines.push(
    '',
    '## Limits',
    '',
    'Each can be changed with `--config`, a file like `{"thresholds": {"PKT0201": {"usage": 0.9}}}`.',
    '',
  );
  lines.push('| code | limit | value | meaning | source |', '|---|---|---|---|---|');
  for (const { code, thresholds } of rules) {
    for (const [name, { value, unit, help, source }] of Object.entries(thresholds)) {
      lines.push(`| ${code} | ${name} | ${value} ${unit === 'none' ? '' : unit} | ${cell(help)} | ${cell(source)} |`);
    }
  }
  lines.push(
    '',
    '## What a rule needs of an exporter',
    '',
    'Without the first it is not measured; without the second it may fire, and says of no host that nothing is wrong. A flag is',
    "node_exporter's; `pktcost metrics` stands for a textfile or an exporter of its own (docs/FLEET.md).",
    '',
    '| code | to be judged | to be in order |',
    '|---|---|---|',
  );
  for (const { code, signals } of rules) {
    const specs = Object.values(signals).map((spec) =>
      'kind' in spec
        ? { of: spec.of, required: spec.kind === 'list' && spec.required, decides: spec.decides }
        : { of: spec, required: true, decides: true },
    );
    const judged = specs.filter(({ required }) => required);
    const deciding = specs.filter(({ required, decides }) => decides && !required);
    lines.push(`| ${code} | ${neededOf(judged)} | ${deciding.length === 0 ? '' : neededOf(deciding)} |`);
  }
  return `${lines.join('\n')}\n`;
}

/** What the host alone tells while it is looked at. */
const ofProbe = new Set(['ebpf', 'profile', 'drops', 'baseline']);

/** Of what is asked, that which a node_exporter as it comes does not show; of alternatives the first. */
function neededOf(specs) {
  const metrics = specs.flatMap(({ of }) => (of.alternatives === true ? of.metrics.slice(0, 1) : of.metrics));
  const needs = metrics.map(({ collector, exporterFlag, pageOnly }) =>
    ofProbe.has(collector)
      ? 'only `diagnose` on the host'
      : exporterFlag !== undefined
        ? `\`${exporterFlag}\``
        : pageOnly
          ? `\`pktcost metrics\` (${collector})`
          : undefined,
  );
  const told = [...new Set(needs.filter((each) => each !== undefined))].sort();
  return told.length === 0 ? 'as it comes' : cell(told.join(', '));
}

const pages = {
  'docs/METRICS.md': metricsPage(),
  'docs/RULES.md': rulesPage(),
  'docs/REPORT.md': reportPage(),
  'docs/VALIDATION.md': validationPage(readFileSync('docs/VALIDATION.md', 'utf8'), rules),
};
/** @type {Record<string, string>} */
const files = { ...manPages(), ...completions() };
for (const [path, page] of Object.entries(pages))
  files[path] = await format(page, { ...(await resolveConfig(path)), parser: 'markdown' });

const standsAs = (path, wanted) => existsSync(path) && readFileSync(path, 'utf8') === wanted;

let stale = 0;
for (const [path, wanted] of Object.entries(files)) {
  if (!process.argv.includes('--check')) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, wanted);
  } else if (!standsAs(path, wanted)) {
    console.error(`${path} does not agree with the declarations: run npm run docs`);
    stale += 1;
  }
}
process.exit(stale === 0 ? 0 : 1);
