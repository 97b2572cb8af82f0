// Runs the scenarios again and again, and prints how often each gave its verdict and how often a twin fired.
//   npm run scenarios -- --repeat 20 [--only NAME] [--write]
// `--write` puts what was seen into docs/VALIDATION.md.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { format, resolveConfig } from 'prettier';

const { values: flags } = parseArgs({
  options: {
    repeat: { type: 'string', default: '1' },
    only: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
});
const repeat = Number(flags.repeat);
if (!Number.isInteger(repeat) || repeat < 1) {
  console.error(`--repeat ${flags.repeat}: not a whole number above 0`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'pktcost-scenarios-'));
const log = join(folder, 'runs.jsonl');
const tests = readdirSync('build/test/scenarios')
  .filter((name) => name.endsWith('.test.js') && (flags.only === undefined || name.includes(flags.only)))
  .sort()
  .map((name) => join('build/test/scenarios', name));

process.on('SIGINT', () => process.exit(130));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));

let failures = 0;
for (let round = 1; round <= repeat; round += 1) {
  const started = Date.now();
  const { status } = spawnSync(process.execPath, ['--test', '--test-concurrency=1', '--test-reporter=dot', ...tests], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, PKTCOST_SCENARIO_LOG: log },
  });
  failures += status === 0 ? 0 : 1;
  console.error(`round ${round} of ${repeat}: ${((Date.now() - started) / 1000).toFixed(0)} s`);
}

const told = existsSync(log)
  ? readFileSync(log, 'utf8')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line))
  : [];
const cases = summarise(told);
printTable(cases);
if (flags.write) await writePage(cases);
process.exit(failures === 0 ? 0 : 1);

/** Runs by case, in the order in which they came. */
function summarise(records) {
  const byCase = new Map();
  for (const record of records) {
    const key = `${record.scenario}: ${record.name}`;
    const entry = byCase.get(key) ?? {
      ...record,
      runs: 0,
      skips: 0,
      verdicts: 0,
      falseAlarms: 0,
      errors: 0,
      last: null,
    };
    byCase.set(key, entry);
    if (record.skipped !== null) {
      entry.skips += 1;
      entry.skipped = record.skipped;
      continue;
    }
    const codes = record.fired.map(({ code }) => code);
    entry.runs += 1;
    entry.fires = record.fires;
    entry.errors += record.error === null ? 0 : 1;
    entry.verdicts += record.fires.every((code) => codes.includes(code)) ? 1 : 0;
    entry.falseAlarms += record.quiet.some((code) => codes.includes(code)) ? 1 : 0;
    if (record.error === null || entry.last === null) entry.last = record;
  }
  return [...byCase.values()];
}

function isTwin(entry) {
  return entry.fires.length === 0;
}

function expected(entry) {
  return isTwin(entry) ? `quiet: ${entry.codes.length > 6 ? 'all' : entry.codes.join(', ')}` : entry.fires.join(', ');
}

function seen(entry) {
  if (entry.runs === 0) return `left out: ${entry.skipped}`;
  return isTwin(entry) ? `${entry.falseAlarms}/${entry.runs} fired` : `${entry.verdicts}/${entry.runs}`;
}

function printTable(entries) {
  const rows = entries.map((entry) => [
    `${entry.scenario}: ${entry.name}`,
    expected(entry),
    seen(entry),
    entry.errors > 0 ? `${entry.errors} failed` : '',
  ]);
  const widths = [0, 1, 2].map((column) => Math.max(...rows.map((row) => row[column].length), 0));
  for (const row of rows)
    console.log(
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    );
  const positives = entries.filter((entry) => !isTwin(entry) && entry.runs > 0);
  const twins = entries.filter((entry) => isTwin(entry) && entry.runs > 0);
  const sum = (all, field) => all.reduce((total, entry) => total + entry[field], 0);
  console.log(
    `\n${positives.length} scenarios gave their verdict ${sum(positives, 'verdicts')} of ${sum(positives, 'runs')} times; ` +
      `${twins.length} twins fired ${sum(twins, 'falseAlarms')} of ${sum(twins, 'runs')} times.`,
  );
}

async function writePage(entries) {
  const text = (value) => String(value).replaceAll('|', '\\|').replaceAll('\n', ' ');
  const number = (value) =>
    Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en') : Number(value.toPrecision(3)).toString();
  const holds = { '>': (a, b) => a > b, '>=': (a, b) => a >= b, '<': (a, b) => a < b, '<=': (a, b) => a <= b };
  const proves = ({ value, comparison, threshold }) => threshold !== null && holds[comparison]?.(value, threshold);
  const evidence = (record) =>
    record.fired
      .filter(({ code }) => record.fires.includes(code))
      .flatMap(({ evidence: lines }) =>
        [...lines.filter(proves), ...lines.filter(({ value, threshold }) => threshold === null && value > 0)]
          .slice(0, 2)
          .map(({ metric, value, unit, comparison, threshold }) => {
            const shown = unit === 'none' || unit === 'number' ? '' : ` ${unit}`;
            return `\`${metric}\` ${number(value)}${shown}${threshold === null ? '' : ` (${comparison} ${number(threshold)})`}`;
          }),
      )
      .concat(Object.entries(record.kept).map(([name, value]) => `${name} ${value}`));
  const verdict = (record) =>
    record.fired.length === 0
      ? 'nothing found'
      : record.fired.map(({ code, outcome, certainty }) => `${code} ${outcome}, ${certainty}`).join('; ');
  const lines = [
    '# Validation',
    '',
    'Generated by `npm run scenarios -- --repeat N --write`: each scenario provokes a cause with real programs in network',
    'namespaces of its own and runs the built command the way a user does; its twins are as near to it as possible and must',
    'stay quiet. Last run:',
    `${new Date().toISOString().slice(0, 10)}, Linux ${release()}, ${repeat} ${repeat === 1 ? 'round' : 'rounds'}.`,
    '',
  ];
  for (const scenario of new Set(entries.map((entry) => entry.scenario))) {
    lines.push(
      `## ${scenario}`,
      '',
      '| provoked | must fire | seen | verdict | evidence |',
      '| --- | --- | --- | --- | --- |',
    );
    for (const entry of entries.filter((each) => each.scenario === scenario)) {
      const { last } = entry;
      const cells = [
        entry.name,
        isTwin(entry) ? '-' : entry.fires.join(', '),
        seen(entry),
        last === null ? '-' : verdict(last),
        last === null ? '-' : evidence(last).join('; ') || '-',
      ];
      lines.push(`| ${cells.map(text).join(' | ')} |`);
    }
    lines.push('');
  }
  const path = 'docs/VALIDATION.md';
  writeFileSync(path, await format(lines.join('\n'), { ...(await resolveConfig(path)), filepath: path }));
  console.log(`wrote ${path}`);
}
