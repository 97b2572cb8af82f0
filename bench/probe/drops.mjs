/**
 * What counting the kernel's drops costs in a flood of them: UDP of 64 bytes that nftables drops, in slices with and without the
 * counter under one stream. Three measures: CPU time of the host (/proc/stat, ticks: many slices are needed), drops with the
 * counter over drops without it, in pairs, and the run time of the program by the kernel's own statistics, per drop. How many were looked at tells the sampling; whether the counter left, the budget.
 *
 *   node bench/probe/drops.mjs [--rate 100000] [--rounds 20] [--slice 0.5] [--overhead 0.01]
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Lab } from '../../build/test/probe/lab.js';
import { DropCounter } from '../../build/src/probe/drops.js';
import { Overhead } from '../../build/src/probe/overhead.js';
import { KernelSymbols } from '../../build/src/probe/symbols.js';

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '20' },
    slice: { type: 'string', default: '0.5' },
    overhead: { type: 'string', default: '0.01' },
  },
});
const [rate, rounds, slice] = [values.rate, values.rounds, values.slice].map(Number);
const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? NaN;
const run = (command, ...args) => execFileSync(command, args, { encoding: 'utf8' });

/** CPU-seconds that were not idle, of all CPUs. */
function busySeconds() {
  const [, ...modes] = readFileSync('/proc/stat', 'utf8').split('\n', 1)[0].trim().split(/\s+/);
  const [user, nice, system, , , irq, softirq] = modes.map(Number);
  return (user + nice + system + irq + softirq) / 100;
}

/** Packets that came to the receiver: each is dropped. */
const drops = (lab) => lab.received().packets;

async function slices(lab, counted) {
  const counter = counted
    ? await DropCounter.open({
        sysfs: '/sys',
        symbols: new KernelSymbols('/proc'),
        namespaces: () => [],
        overhead: new Overhead(Number(values.overhead)),
      })
    : undefined;
  if (counter !== undefined && !counter.ok) throw new Error(counter.reason);
  counter?.value.watch();
  const [busy, dropped, began] = [busySeconds(), drops(lab), performance.now()];
  await sleep(slice * 1000);
  const took = (performance.now() - began) / 1000;
  const [used, packets] = [(busySeconds() - busy) / took, (drops(lab) - dropped) / took];
  counter?.value.watch();
  const answer = counter?.value.answer();
  counter?.value.close();
  return { used, packets, perDropNs: (used / Math.max(1, packets)) * 1e9, answer };
}

/** Nanoseconds of the program per run, which is per drop. */
async function programNs() {
  run('sysctl', '-qw', 'kernel.bpf_stats_enabled=1');
  try {
    const counter = await DropCounter.open({
      sysfs: '/sys',
      symbols: new KernelSymbols('/proc'),
      namespaces: () => [],
      overhead: new Overhead(1),
    });
    if (!counter.ok) throw new Error(counter.reason);
    await sleep(1000);
    const programs = JSON.parse(run('bpftool', '-j', 'prog', 'show'));
    const own = programs.filter(({ run_cnt: runs, name = '' }) => (runs ?? 0) > 0 && /drop|kfree/.test(name));
    counter.value.close();
    return own.map(({ name, run_time_ns: ns, run_cnt: runs }) => ({ name, runs, ns: Math.round(ns / runs) }));
  } finally {
    run('sysctl', '-qw', 'kernel.bpf_stats_enabled=0');
  }
}

const lab = new Lab();
try {
  run('ip', 'netns', 'exec', lab.receiver, 'nft', 'add table ip bench');
  run(
    'ip',
    'netns',
    'exec',
    lab.receiver,
    'nft',
    'add chain ip bench in { type filter hook prerouting priority -300; }',
  );
  await lab.serve();
  const load = lab.traffic('udp', rounds * 2 * (slice + 1.5) + 10, rate);
  await sleep(1500);
  // The stream is set up first: iperf3 talks TCP beside it.
  run('ip', 'netns', 'exec', lab.receiver, 'nft', 'add rule ip bench in meta l4proto udp drop');
  const program = await programNs();
  /** @type {Record<'without' | 'with', Awaited<ReturnType<typeof slices>>[]>} */
  const seen = { without: [], with: [] };
  for (let round = 0; round < rounds; round++)
    for (const side of round % 2 ? ['with', 'without'] : ['without', 'with'])
      seen[side].push(await slices(lab, side === 'with'));
  run('ip', 'netns', 'exec', lab.receiver, 'nft', 'delete table ip bench');
  // iperf3 is told to end by a connection that is dropped as well.
  await load.then(
    () => undefined,
    () => undefined,
  );
  const last = seen.with.at(-1)?.answer;
  const left = seen.with.filter(({ answer }) => answer !== undefined && !answer.ok).length;
  // Where the CPUs are full, others' work is in their time as well, and what is left is how many were dropped.
  const ratios = seen.with.map(({ packets }, round) => packets / Math.max(1, seen.without[round]?.packets ?? NaN));
  const pick = (side, of) => median(seen[side].map((each) => each[of]));
  console.log(
    JSON.stringify({
      dropsPerSecond: Math.round(pick('with', 'packets')),
      dropsWithOverWithout: Number(median(ratios).toFixed(3)),
      cpusWithout: Number(pick('without', 'used').toFixed(3)),
      cpusWith: Number(pick('with', 'used').toFixed(3)),
      moreNsPerDrop: Math.round(pick('with', 'perDropNs') - pick('without', 'perDropNs')),
      program,
      slicesThatLeft: left,
      lookedAt: last?.ok ? Number((last.value.lookedAt / Math.max(1, last.value.total)).toFixed(3)) : null,
    }),
  );
} finally {
  await lab.close();
}
