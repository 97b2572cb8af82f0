/**
 * How many of the packets meet a hook of the probe in a whole run of `pktcost diagnose`, by their rate: UDP of 64 bytes at a fixed
 * rate on a veth pair, the runs of every program of pktcost as the kernel counts them, by the packets that the host took in the while
 * (both ways and those of others). Counts, which no noise moves. Beside them what pktcost itself took.
 *
 *   node bench/probe/felt.mjs [--rates 20000,50000,150000] [--seconds 10] [--rounds 1] [--pktcost bin/pktcost.js] [--tap] [--outside]
 *
 * pktcost runs in the namespace of the receiving device, as it does on a host; with --outside it looks into it from another.
 */
import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Lab } from '../../build/test/probe/lab.js';
import { loadLibbpf } from '../../build/src/probe/libbpf.js';

const { values } = parseArgs({
  options: {
    rates: { type: 'string', default: '20000,50000,150000' },
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '1' },
    pktcost: { type: 'string', default: 'bin/pktcost.js' },
    tap: { type: 'boolean', default: false },
    outside: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);

const unwrap = (result) => {
  if (!result.ok) throw new Error(result.reason);
  return result.value;
};

/** Runs of each program that this process holds or held: another pktcost may be at work on the same host. */
function countRuns(pid, runs) {
  const held = new Set();
  for (const fd of namesIn(`/proc/${pid}/fdinfo`)) {
    const id = /^prog_id:\s+(\d+)/m.exec(textOf(`/proc/${pid}/fdinfo/${fd}`))?.[1];
    if (id !== undefined) held.add(Number(id));
  }
  const programs = JSON.parse(execFileSync('bpftool', ['-j', 'prog', 'show'], { encoding: 'utf8' }));
  for (const { id, name = '', run_cnt: count = 0 } of programs) if (held.has(id)) runs.set(id, { name, count });
}

/** What is gone when it is looked at is empty. */
function namesIn(folder) {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function textOf(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** Packets that the host's CPUs took in, of all namespaces: the tracepoints see them all. */
function processed() {
  const lines = readFileSync('/proc/net/softnet_stat', 'utf8').trim().split('\n');
  return lines.reduce((sum, line) => sum + parseInt(line.split(' ', 1)[0], 16), 0);
}

async function diagnose(lab) {
  const runs = new Map();
  const [place, where] = values.outside ? [[], ['--netns', lab.receiver]] : [['ip', 'netns', 'exec', lab.receiver], []];
  const [command = '', ...rest] = [
    ...place,
    process.execPath,
    values.pktcost,
    'diagnose',
    '-w',
    `${seconds}s`,
    ...where,
  ];
  const child = spawn(command, [...rest, '--format', 'json'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part) => (text += part));
  const ended = new Promise((resolve) => child.once('exit', resolve));
  let over = false;
  void ended.then(() => (over = true));
  // The profile begins with the window: what comes before is not felt in it.
  const began = () => [...runs.values()].some(({ name, count }) => name === 'pktcost_sample' && count > 0);
  while (!over && !began()) {
    await sleep(20);
    countRuns(child.pid, runs);
  }
  const before = new Map(runs);
  const [from, at] = [processed(), performance.now()];
  while (!over && performance.now() - at < (seconds - 0.5) * 1000) {
    await sleep(200);
    countRuns(child.pid, runs);
  }
  const [came, took] = [processed() - from, (performance.now() - at) / 1000];
  await ended;
  const sums = new Map();
  for (const [id, { name, count }] of runs)
    sums.set(name, (sums.get(name) ?? 0) + count - (before.get(id)?.count ?? 0));
  const report = JSON.parse(text);
  return { came, took, sums, self: report.selfCost, said: report.probe.reason };
}

const bpf = unwrap(loadLibbpf());
// Held by a descriptor: off again with this process, whatever becomes of it.
unwrap(bpf.enableStats());
const lab = new Lab();
try {
  await lab.serve();
  if (values.tap) await lab.tcpdump();
  for (const rate of values.rates.split(',').map(Number))
    for (let round = 0; round < Number(values.rounds); round += 1) {
      const traffic = lab.traffic('udp', seconds + 6, rate);
      await sleep(500);
      const { came, took, sums, self, said } = await diagnose(lab);
      const all = [...sums.values()].reduce((sum, count) => sum + count, 0);
      const each = [...sums]
        .filter(([, count]) => count > came / 1000)
        .map(([name, count]) => `${name.slice(8)} ${(count / came).toFixed(3)}`);
      console.log(
        `${Math.round(came / took / 1000)} kpps: ${(all / came).toFixed(3)} runs a packet (${each.join(', ')}); ` +
          `pktcost ${self.cpuSeconds.toFixed(2)} s CPU, ${Math.round(self.peakMemoryBytes / 2 ** 20)} MB${said === null ? '' : `; ${said}`}`,
      );
      await traffic;
    }
} finally {
  await lab.close();
}
