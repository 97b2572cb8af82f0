// Runs the scenarios again and again, and prints how often each gave its verdict and how often a twin fired.
//   npm run scenarios -- --repeat 20 [--only NAME] [--results FILE] [--write]
//   npm run scenarios -- --from FILE [--from FILE] [--write [--part]]
// `--results` appends each result to FILE, a line of JSON, as it comes: an interrupted run loses nothing, and the next
// one with the same file adds to it. `--from` runs nothing. `--write` puts what the files hold into docs/VALIDATION.md, with
// `--part` in place of the same scenarios there, each with its own circumstances.
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import { format, resolveConfig } from 'prettier';

import { ELSEWHERE, provokedElsewhere, sectionsOf } from './validation.mjs';

const { values: flags } = parseArgs({
  options: {
    repeat: { type: 'string', default: '1' },
    only: { type: 'string' },
    results: { type: 'string' },
    from: { type: 'string', multiple: true },
    write: { type: 'boolean', default: false },
    part: { type: 'boolean', default: false },
  },
});
const repeat = Number(flags.repeat);
if (!Number.isInteger(repeat) || repeat < 1) usage(`--repeat ${flags.repeat}: not a whole number above 0`);
if (flags.from !== undefined && flags.results !== undefined) usage('--from runs nothing, --results is for a run');

/** A heading of the page that stands for no scenario. */
const WRONG = 'What went wrong';

let failures = 0;
const cases = summarise(flags.from === undefined ? run() : flags.from.flatMap(readRecords));
printTable(cases);
if (flags.write) await writePage(cases);
process.exit(failures === 0 ? 0 : 1);

function usage(message) {
  console.error(message);
  process.exit(2);
}

/** All results of the file it was told to add to, those of earlier runs included. */
function run() {
  const folder = mkdtempSync(join(tmpdir(), 'pktcost-scenarios-'));
  process.on('SIGINT', () => process.exit(130));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  const log = resolve(flags.results ?? join(folder, 'runs.jsonl'));
  // The last line of an interrupted run may lack its end, and must not take the next one with it.
  if (existsSync(log) && !/(^|\n)$/.test(readFileSync(log, 'utf8'))) appendFileSync(log, '\n');
  const tests = readdirSync('build/test/scenarios')
    .filter((name) => name.endsWith('.test.js') && (flags.only === undefined || name.includes(flags.only)))
    .sort()
    .map((name) => join('build/test/scenarios', name));
  for (let round = 1; round <= repeat; round += 1) {
    const started = new Date();
    const { status } = spawnSync(
      process.execPath,
      ['--test', '--test-concurrency=1', '--test-reporter=dot', ...tests],
      {
        stdio: ['ignore', 'inherit', 'inherit'],
        env: { ...process.env, PKTCOST_SCENARIO_LOG: log, PKTCOST_SCENARIO_ROUND: started.toISOString() },
      },
    );
    failures += status === 0 ? 0 : 1;
    console.error(`round ${round} of ${repeat}: ${((Date.now() - started.getTime()) / 1000).toFixed(0)} s`);
  }
  return existsSync(log) ? readRecords(log) : [];
}

function readRecords(path) {
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((line, index) => {
      if (line === '') return [];
      try {
        return [JSON.parse(line)];
      } catch (error) {
        console.error(`${path}:${index + 1}: left out, not whole (${String(error)})`);
        return [];
      }
    });
}

/** Runs by case, in the order in which they came. */
function summarise(records) {
  const byCase = new Map();
  for (const record of records) {
    const key = `${record.scenario}: ${record.name}`;
    const entry = byCase.get(key) ?? {
      ...record,
      records: [],
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
    entry.records.push(record);
    if (record.fires.length > entry.fires.length) entry.fires = record.fires;
    entry.errors += record.error === null ? 0 : 1;
    entry.verdicts += record.fires.every((code) => codes.includes(code)) ? 1 : 0;
    entry.falseAlarms += record.quiet.some((code) => codes.includes(code)) ? 1 : 0;
    if (record.error === null || entry.last === null) entry.last = record;
  }
  return [...byCase.values()].map((entry) => ({ ...entry, runs: entry.records.length }));
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

function total(entries, field) {
  return entries.reduce((sum, entry) => sum + entry[field], 0);
}

function totals(entries) {
  const positives = entries.filter((entry) => !isTwin(entry) && entry.runs > 0);
  const twins = entries.filter((entry) => isTwin(entry) && entry.runs > 0);
  return (
    `${positives.length} scenarios gave their verdict ${total(positives, 'verdicts')} of ${total(positives, 'runs')} times; ` +
    `${twins.length} twins fired ${total(twins, 'falseAlarms')} of ${total(twins, 'runs')} times.`
  );
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
  console.log(`\n${totals(entries)}`);
}

/** When, on what, how often, and how busy the machine was. */
function circumstances(entries) {
  const records = entries.flatMap((entry) => entry.records);
  const rounds = new Set(records.map(({ round }) => round)).size;
  const days = [...new Set(records.map(({ at }) => at.slice(0, 10)))].sort();
  const kernels = [...new Set(records.map(({ kernel }) => kernel))].sort();
  const loads = records.map(({ load }) => load).sort((a, b) => a - b);
  const load = (part) => (loads[Math.floor(part * (loads.length - 1))] ?? 0).toFixed(1);
  return [
    days.length > 1 ? `${days[0]} to ${days.at(-1)}` : `${days[0] ?? 'never'}`,
    `Linux ${kernels.join(' and ')}`,
    `${rounds} ${rounds === 1 ? 'round' : 'rounds'}`,
    `load average ${load(0)} to ${load(1)} (median ${load(0.5)})`,
  ].join(', ');
}

/** What did not go as it must: a verdict missed, a twin that fired, a check or a program that failed. */
function failed(entry) {
  return entry.records
    .filter(({ error }) => error !== null)
    .map((record) => ({
      name: `${entry.scenario}: ${entry.name}`,
      at: `${record.at.slice(0, 16).replace('T', ' ')}, load ${record.load.toFixed(1)}`,
      error: record.error.split('\n')[0].slice(0, 300),
    }));
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
      .concat(keptOf(record));
  const keptOf = ({ kept }) => Object.entries(kept).map(([name, value]) => `${name} ${value}`);
  const verdict = (record) =>
    record.fired.length === 0
      ? 'nothing found'
      : record.fired.map(({ code, outcome, certainty }) => `${code} ${outcome}, ${certainty}`).join('; ');
  const misses = (entry) => {
    const missed = isTwin(entry) ? 0 : entry.runs - entry.verdicts;
    const otherwise = entry.errors - missed - entry.falseAlarms;
    return [
      missed > 0 ? `; ${missed} missed` : '',
      otherwise > 0 ? `; ${otherwise} failed otherwise` : '',
      entry.skips > 0 && entry.runs > 0 ? `; ${entry.skips} left out` : '',
    ].join('');
  };
  const head = [
    '# Validation',
    '',
    'Generated by `npm run scenarios -- --repeat N --write`: each scenario provokes a cause with real programs in network',
    'namespaces of its own and runs the built command the way a user does; its twins are as near to it as possible and must',
    'stay quiet. "Seen" counts every run; verdict and evidence are those of the last one that passed.',
    '',
    `${circumstances(entries)}. ${totals(entries)}`,
    '',
  ];
  const sections = new Map();
  for (const scenario of new Set(entries.map((entry) => entry.scenario))) {
    const lines = [];
    sections.set(scenario, lines);
    const own = entries.filter((each) => each.scenario === scenario);
    lines.push(
      `## ${scenario}`,
      '',
      ...(flags.part ? [`${circumstances(own)}. ${totals(own)}`, ''] : []),
      '| provoked | must fire | seen | verdict | evidence |',
      '| --- | --- | --- | --- | --- |',
    );
    for (const entry of own) {
      const { last } = entry;
      const cells = [
        entry.name,
        isTwin(entry) ? '-' : entry.fires.join(', '),
        `${seen(entry)}${misses(entry)}`,
        last === null ? '-' : verdict(last),
        last === null ? '-' : evidence(last).join('; ') || '-',
      ];
      lines.push(`| ${cells.map(text).join(' | ')} |`);
    }
    lines.push('');
  }
  const path = 'docs/VALIDATION.md';
  const { rules } = await import(resolve('build/src/rules/index.js'));
  const kept = flags.part ? sectionsOf(readFileSync(path, 'utf8')) : new Map();
  const merged = new Map([...kept, ...sections]);
  for (const closing of [ELSEWHERE, WRONG]) merged.delete(closing);
  const wrong = entries
    .flatMap(failed)
    .map(({ name, at, error }) => `| ${[name, at, `\`${error}\``].map(text).join(' | ')} |`);
  const before = (kept.get(WRONG) ?? []).filter(
    (line) =>
      line.startsWith('| ') && ![...sections.keys(), 'scenario ', '---'].some((name) => line.startsWith(`| ${name}`)),
  );
  const failures = [...before, ...wrong];
  const lines = [
    ...(kept.get('') ?? head),
    ...[...merged].filter(([name]) => name !== '').flatMap(([, each]) => each),
    ...provokedElsewhere([...merged.values()].flat(), rules),
    `## ${WRONG}`,
    '',
    ...(failures.length === 0
      ? ['Nothing: every run of every scenario and twin passed.', '']
      : ['| scenario | when | what was seen |', '| --- | --- | --- |', ...failures, '']),
  ];
  writeFileSync(path, await format(lines.join('\n'), { ...(await resolveConfig(path)), filepath: path }));
  console.log(`wrote ${path}`);
}
