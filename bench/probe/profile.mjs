/**
 * Does the profile say where the time goes? For each cause (causes.mjs): the parts of receiving and sending that the profile names,
 * the share of samples that it can name at all and what is "other", what sampling itself took, and, where perf is installed, the same
 * shares from `perf record` over the same seconds.
 *
 *   node bench/probe/profile.mjs [--only WORD] [--seconds 5] [--rates 50000] [--rounds 1] [--perf] [--keep FILE]
 *   node bench/probe/profile.mjs --table FILE
 *
 * `--keep` adds a line for each run to a file, and `--table` makes a table of such a file: so it can be run piece by piece.
 */
import { execFileSync, spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { profile as collector } from '../../build/src/collectors/profile.js';
import { runCollector } from '../../build/src/collectors/collector.js';
import {
  profileSamples,
  profileOtherSamples,
  profileNetfilterSamples,
} from '../../build/src/metrics/catalogue/index.js';
import { Snapshot } from '../../build/src/metrics/snapshot.js';
import { functionName } from '../../build/src/probe/symbols.js';
import { classify } from '../../build/src/profile/classify.js';
import { directionOfStack } from '../../build/src/profile/direction.js';
import { encodeProfile } from '../../build/src/profile/stacks.js';
import { Lab } from '../../build/test/probe/lab.js';
import { hasFanOut } from '../../build/src/profile/claims.js';
import { causes } from './causes.mjs';
import { openSampler, unwrap } from './host.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '5' },
    rates: { type: 'string', default: '50000' },
    rounds: { type: 'string', default: '1' },
    keep: { type: 'string' },
    table: { type: 'string' },
    perf: { type: 'boolean', default: false },
    stacks: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
async function sample(scratch) {
  const sampler = await openSampler(seconds);
  const data = join(scratch, 'perf.data');
  const perf = values.perf
    ? spawn(
        'perf',
        [
          'record',
          '-q',
          '-a',
          '-g',
          '--no-bpf-event',
          '-e',
          'cpu-clock:k',
          '-F',
          '970',
          '-o',
          data,
          'sleep',
          String(seconds),
        ],
        {
          stdio: 'ignore',
        },
      )
    : undefined;
  const ended = perf && new Promise((resolve) => perf.once('exit', resolve));
  sampler.start();
  await sleep(seconds * 1000);
  sampler.stop();
  await ended;
  const reading = process.cpuUsage();
  const answer = unwrap(sampler.read());
  const read = process.cpuUsage(reading);
  sampler.close();
  return { answer, readMs: (read.user + read.system) / 1000, perf: values.perf ? ofPerf(data) : undefined };
}

/** Types of programs as the kernel numbers them (enum bpf_prog_type), by bpftool's words: those that the causes use. */
const TYPES = { sched_cls: 3, tracepoint: 5, xdp: 6, perf_event: 7, cgroup_skb: 8, raw_tracepoint: 17, tracing: 26 };

/** perf's own stacks, cut and named by the same tables: another sampler, the same reading. */
function ofPerf(data) {
  const script = execFileSync('perf', ['script', '-i', data, '-F', 'ip,sym'], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const programs = JSON.parse(execFileSync('bpftool', ['-j', 'prog', 'show'], { encoding: 'utf8' }));
  const byTag = new Map(programs.map(({ tag, type, name = '' }) => [tag, { type: TYPES[type] ?? 0, name }]));
  const programOf = (symbol) => {
    const known = byTag.get(/^bpf_prog_([0-9a-f]{16})/.exec(symbol)?.[1]);
    return known === undefined ? null : { id: 0, type: known.type, own: known.name.startsWith('pktcost_') };
  };
  const rows = [];
  for (const block of script.split('\n\n')) {
    const frames = block
      .split('\n')
      .map((line) => /^\s*[0-9a-f]+\s+(\S+)/.exec(line)?.[1] ?? '')
      .filter((symbol) => symbol !== '')
      .map((symbol) => ({ name: functionName(symbol), program: programOf(symbol) }))
      .reverse();
    const way = directionOfStack(frames.map(({ name }) => name));
    if (way !== undefined) rows.push({ direction: way.direction, frames: frames.slice(way.from), samples: 1 });
  }
  const shares = new Map();
  const seen = { foreignTracing: true, fanOut: hasFanOut(rows) };
  for (const { direction, frames } of rows) add(shares, direction, classify(frames, seen).part, 1);
  return shares;
}

function add(shares, direction, part, count) {
  const known = shares.get(direction) ?? new Map();
  shares.set(direction, known.set(part, (known.get(part) ?? 0) + count));
}

function collected(answer) {
  const snapshot = new Snapshot('2026-01-01T00:00:00.000Z', 0);
  const none = () => ({ ok: /** @type {const} */ (false), reason: 'only the profile is there' });
  const reader = {
    lastReadAt: 0,
    read: none,
    list: none,
    link: none,
    dump: () => ({ ok: /** @type {const} */ (true), value: encodeProfile(answer) }),
  };
  runCollector(collector, reader, snapshot);
  return snapshot;
}

const percent = (part, whole) => `${((100 * part) / whole).toFixed(1).padStart(5)} %`;

function print(name, { answer, readMs, perf }) {
  const snapshot = collected(answer);
  const { ownNs, samples, lost, cpus } = answer;
  console.log(
    `\n${name}: ${samples} samples in ${answer.seconds.toFixed(2)} s on ${cpus} CPUs by ${answer.clock}, every ${(answer.periodNs / 1e6).toFixed(2)} ms; lost ${JSON.stringify(lost)};` +
      ` ${(ownNs / samples / 1000).toFixed(2)} us a sample, ${((100 * ownNs) / answer.seconds / cpus / 1e9).toFixed(3)} % of the CPUs; read in ${readMs.toFixed(0)} ms; ${answer.stacks.length} stacks, ${(JSON.stringify(encodeProfile(answer)).length / 1024).toFixed(0)} KiB`,
  );
  const shares = new Map();
  for (const { labels, value } of snapshot.series(profileSamples)) add(shares, labels.direction, labels.part, value);
  for (const [direction, byPart] of shares) {
    const sum = [...byPart.values()].reduce((a, b) => a + b, 0);
    const theirs = perf?.get(direction);
    const theirSum = theirs === undefined ? 0 : [...theirs.values()].reduce((a, b) => a + b, 0);
    const named = sum - (byPart.get('other') ?? 0);
    console.log(
      `  ${direction}: ${sum} samples, ${percent(named, sum)} in a named part${theirs ? `; perf ${theirSum}` : ''}`,
    );
    for (const [part, count] of [...byPart].sort((a, b) => b[1] - a[1]).slice(0, 12)) {
      const beside = theirs ? `  perf ${percent(theirs.get(part) ?? 0, theirSum)}` : '';
      console.log(`    ${percent(count, sum)}${beside}  ${part}`);
    }
    const others = snapshot.series(profileOtherSamples).filter(({ labels }) => labels.direction === direction);
    for (const { labels, value } of others.slice(0, 8)) console.log(`      other: ${value} ${labels.function}`);
  }
  for (const { labels, value } of snapshot.series(profileNetfilterSamples))
    console.log(`    hook ${labels.hook} ${labels.engine} (${labels.direction}): ${value}`);
  if (values.stacks)
    for (const row of answer.stacks.slice(0, 40))
      console.log(
        `    ${row.direction} ${row.samples} ${row.functions.map((i) => answer.functions[i].name).join(';')}`,
      );
}

/** The share of a cause's own part by both samplers, of those samples that are not the measuring itself. */
function kept(cause, rate, { answer, perf }) {
  const { part, direction } = causes[cause];
  const shares = new Map();
  for (const { labels, value } of collected(answer).series(profileSamples))
    add(shares, labels.direction, labels.part, value);
  const of = (known) => {
    const parts = [...(known?.get(direction) ?? [])].filter(([each]) => each !== 'self' && each !== 'other');
    const all = parts.reduce((sum, [, count]) => sum + count, 0);
    return { share: all === 0 ? null : (new Map(parts).get(part) ?? 0) / all, samples: all };
  };
  const named = (way) => {
    const parts = [...(shares.get(way) ?? [])];
    return [parts.reduce((sum, [, count]) => sum + count, 0), shares.get(way)?.get('other') ?? 0];
  };
  return {
    cause,
    part,
    direction,
    rate,
    load: loadavg()[0],
    ours: of(shares),
    perf: of(perf),
    receive: named('receive'),
    transmit: named('transmit'),
  };
}

/** Within 10 points or 15 per cent. */
const agree = (ours, theirs) => Math.abs(ours - theirs) <= Math.max(0.1, 0.15 * theirs);

function table(file) {
  const runs = readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const rates = [...new Set(runs.map(({ rate }) => rate))].sort((a, b) => a - b);
  console.log(`| cause: its part | ${rates.map((rate) => `${rate / 1000} kpps`).join(' | ')} | within |`);
  for (const cause of Object.keys(causes)) {
    const own = runs.filter((run) => run.cause === cause && run.perf.share !== null && run.ours.share !== null);
    if (own.length === 0) continue;
    const cells = rates.map((rate) => {
      const at = own.filter((run) => run.rate === rate);
      const mean = (of) => Math.round((100 * at.reduce((sum, run) => sum + of(run).share, 0)) / at.length);
      return at.length === 0
        ? '-'
        : `${mean(({ ours }) => ours)} / ${mean(({ perf }) => perf)} (${Math.round(at.reduce((sum, { ours }) => sum + ours.samples, 0) / at.length)})`;
    });
    const good = own.filter(({ ours, perf }) => agree(ours.share, perf.share)).length;
    console.log(`| ${cause}: ${own[0].part} | ${cells.join(' | ')} | ${good} of ${own.length} |`);
  }
  for (const way of ['receive', 'transmit']) {
    const [all, other] = [0, 1].map((index) => runs.reduce((sum, run) => sum + run[way][index], 0));
    console.log(`${way}: ${all} samples, ${percent(all - other, all)} in a named part`);
  }
  const loads = runs.map(({ load }) => load).sort((a, b) => a - b);
  console.log(`${runs.length} runs, load ${loads[0].toFixed(1)} to ${loads.at(-1).toFixed(1)}`);
}

async function measure(name, rate, scratch) {
  const lab = new Lab();
  try {
    await causes[name].prepare({ lab, folder: scratch, seconds, pps: rate });
    await sleep(1000);
    const sampled = await sample(scratch);
    print(`${name}, ${rate / 1000} kpps`, sampled);
    if (values.keep !== undefined) appendFileSync(values.keep, `${JSON.stringify(kept(name, rate, sampled))}\n`);
  } catch (error) {
    // A kernel without these rules or filters: the others are still worth their time.
    console.log(`\n${name}: not here (${String(error).split('\n')[0]})`);
  } finally {
    await lab.close();
  }
}

async function measureAll() {
  const scratch = mkdtempSync(join(tmpdir(), 'pktcost-profile-'));
  try {
    for (const name of Object.keys(causes).filter((each) => each.includes(values.only)))
      for (const rate of values.rates.split(',').map(Number))
        for (let round = 0; round < Number(values.rounds); round += 1) await measure(name, rate, scratch);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

if (values.table === undefined) await measureAll();
else table(values.table);
