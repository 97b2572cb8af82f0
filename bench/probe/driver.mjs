/**
 * Whether the driver's part is the driver's: a known load is put before the stack (an XDP program that spins, in the driver's NAPI
 * poll) or into it (packet filters that every datagram passes), and the two parts of NET_RX are measured with and without, in turns
 * under one stream. What the spinning takes the kernel's own statistics say.
 *
 *   node bench/probe/driver.mjs [--rounds 8] [--spins 400] [--rules 100]
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Lab } from '../../build/test/probe/lab.js';
import { readCapabilities } from '../../build/src/probe/capabilities.js';
import { planDevices } from '../../build/src/probe/plan.js';
import { subtractReadings } from '../../build/src/readings/reading.js';
import { openSession } from '../../build/src/probe/session.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '8' },
    spins: { type: 'string', default: '400' },
    rules: { type: 'string', default: '100' },
  },
});

const run = (command, ...args) => execFileSync(command, args, { encoding: 'utf8' });
const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1];

const source = (spins) => `
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
SEC("xdp") int spin(struct xdp_md *packet)
{
  volatile int x = 0;
  for (int i = 0; i < ${spins}; i++) x += i;
  return XDP_PASS;
}
char LICENSE[] SEC("license") = "MIT";
`;

function compile(folder, name, spins) {
  const [from, to] = [join(folder, `${name}.c`), join(folder, `${name}.o`)];
  writeFileSync(from, source(spins));
  const flags = [
    '-O2',
    '-g',
    '-target',
    'bpf',
    '-mcpu=v3',
    '-I',
    `/usr/include/${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`,
  ];
  run('clang', ...flags, '-c', from, '-o', to);
  return to;
}

const folder = mkdtempSync(join(tmpdir(), 'pktcost-bench-'));
const lab = new Lab();
const inReceiver = (...command) => run('ip', 'netns', 'exec', lab.receiver, ...command);
const xdp = (object) =>
  inReceiver('ip', '-force', 'link', 'set', 'dev', lab.device, 'xdpdrv', 'obj', object, 'sec', 'xdp');

/** Run time of the XDP program by BPF_ENABLE_STATS, without what they add to an empty one. */
async function xdpNs() {
  run('sysctl', '-qw', 'kernel.bpf_stats_enabled=1');
  try {
    const read = () => {
      const { run_time_ns: ns, run_cnt: runs } = JSON.parse(run('bpftool', '-j', 'prog', 'show')).findLast(
        ({ name }) => name === 'spin',
      );
      return { ns: ns ?? 0, runs: runs ?? 0 };
    };
    const before = read();
    await sleep(500);
    const after = read();
    return (after.ns - before.ns) / (after.runs - before.runs);
  } finally {
    run('sysctl', '-qw', 'kernel.bpf_stats_enabled=0');
  }
}

const capabilities = readCapabilities();
async function parts() {
  const opened = await openSession({
    plans: planDevices([lab.facts()], { probe: 'auto' }, capabilities),
    capabilities,
  });
  if (!opened.ok) throw new Error(opened.reason);
  try {
    if (opened.value.tracepoints === undefined) throw new Error('no tracepoints to time by');
    opened.value.tracepoints.join();
    const before = opened.value.read();
    await sleep(400);
    const { cpus } = subtractReadings(before, opened.value.read());
    const total = (of) => cpus.reduce((sum, cpu) => sum + of(cpu), 0);
    const skbs = total(({ splitSkbs }) => splitSkbs);
    const stack = total(({ splitStackNs }) => splitStackNs) / skbs;
    return { driver: total(({ splitNs }) => splitNs) / skbs - stack, stack };
  } finally {
    await opened.value.close();
  }
}

try {
  const objects = { none: compile(folder, 'none', 0), spinning: compile(folder, 'spinning', Number(values.spins)) };
  const rules = join(folder, 'rules.nft');
  const lines = Array.from(
    { length: Number(values.rules) },
    (_, index) => `add rule ip bench in udp dport ${index + 1} counter`,
  );
  writeFileSync(
    rules,
    ['add table ip bench', 'add chain ip bench in { type filter hook input priority 0; }', ...lines].join('\n'),
  );
  lab.mergeFrames();
  xdp(objects.none);
  await lab.serve();
  const rounds = Number(values.rounds);
  const load = lab.traffic('udp', rounds * 3 + 8, 60_000);
  await sleep(1500);
  /** @type {Record<'bare' | 'spinning' | 'filtered', { driver: number, stack: number }[]>} */
  const seen = { bare: [], spinning: [], filtered: [] };
  const spinNs = [];
  for (let round = 0; round < rounds; round++) {
    const emptyNs = round === 0 ? await xdpNs() : 0;
    seen.bare.push(await parts());
    xdp(objects.spinning);
    if (round === 0) spinNs.push((await xdpNs()) - emptyNs);
    seen.spinning.push(await parts());
    xdp(objects.none);
    inReceiver('nft', '-f', rules);
    seen.filtered.push(await parts());
    inReceiver('nft', 'delete', 'table', 'ip', 'bench');
  }
  await load;
  const of = (state, part) => median(seen[state].map((each) => each[part]));
  const rise = (state, part) =>
    Math.round(median(seen[state].map((each, index) => each[part] - seen.bare[index][part])));
  console.log(
    JSON.stringify(
      {
        bare: { driver: Math.round(of('bare', 'driver')), stack: Math.round(of('bare', 'stack')) },
        xdpSpinsNs: Math.round(spinNs[0]),
        spinning: { driver: rise('spinning', 'driver'), stack: rise('spinning', 'stack') },
        filtered: { driver: rise('filtered', 'driver'), stack: rise('filtered', 'stack') },
      },
      undefined,
      1,
    ),
  );
} finally {
  await lab.close();
  rmSync(folder, { recursive: true });
}
