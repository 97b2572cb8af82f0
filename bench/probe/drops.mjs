/**
 * What counting the kernel's drops costs in a flood of them: UDP of 64 bytes that nftables drops where it leaves a device, all in the
 * context of one sender that is pinned to a CPU, so that its own run time (/proc/PID/schedstat) is what a drop costs, whoever else uses
 * the machine. Slices with the counter and without, in turns under one stream; the counter has been there for `--settle` seconds when one begins.
 * Besides: how far the total and the namespace's own row were off, and what of the drops the counter met and looked at.
 *
 *   node bench/probe/drops.mjs [--rate 100000] [--rounds 20] [--slice 1.5] [--settle 0.5] [--overhead 0.01]
 *
 * --rate 0: as fast as it goes.
 */
import { execFileSync, spawn } from 'node:child_process';
import { readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { DropCounter } from '../../build/src/probe/drops.js';
import { Overhead } from '../../build/src/probe/overhead.js';
import { KernelSymbols } from '../../build/src/probe/symbols.js';
import { compiled } from '../../build/test/scenarios/kit/programs.js';

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '100000' },
    rounds: { type: 'string', default: '20' },
    slice: { type: 'string', default: '1.5' },
    settle: { type: 'string', default: '0.5' },
    overhead: { type: 'string', default: '0.01' },
  },
});
const [rounds, slice, settle] = [values.rounds, values.slice, values.settle].map(Number);
const median = (numbers) => [...numbers].sort((a, b) => a - b)[numbers.length >> 1] ?? NaN;
const quartiles = (numbers) => {
  const sorted = [...numbers].sort((a, b) => a - b);
  return [1, 3].map((quarter) => Number((sorted[(sorted.length * quarter) >> 2] ?? NaN).toFixed(3)));
};
const run = (command, ...args) => execFileSync(command, args, { encoding: 'utf8' });

const name = `pktc-drops-${process.pid}`;
const path = `/run/netns/${name}`;
const symbols = new KernelSymbols('/proc');

/** The sender's CPU time in nanoseconds, and what it sent: all of it is dropped. */
function sent(pid) {
  const cpuNs = Number(readFileSync(`/proc/${pid}/schedstat`, 'utf8').split(' ', 1)[0]);
  const [names, counts] = readFileSync(`/proc/${pid}/net/snmp`, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('Ip:'))
    .map((line) => line.split(' '));
  return { cpuNs, packets: Number(counts[names.indexOf('OutRequests')]), at: performance.now() };
}

async function open() {
  const counter = await DropCounter.open({
    procfs: '/proc',
    sysfs: '/sys',
    symbols,
    namespaces: () => [{ name, inode: statSync(path).ino, path }],
    overhead: new Overhead(Number(values.overhead)),
  });
  if (!counter.ok) throw new Error(counter.reason);
  return counter.value;
}

const own = (answer) => answer.rows.reduce((sum, { netns, packets }) => sum + (netns === name ? packets : 0), 0);

async function take(pid, watched) {
  const counter = watched ? await open() : undefined;
  await sleep(settle * 1000);
  counter?.watch();
  // Names are looked up beside the first answer, which takes longer than any other.
  counter?.answer();
  const before = counter?.answer();
  const beganAt = counter?.countedAt ?? NaN;
  const [from, cpu] = [sent(pid), process.cpuUsage()];
  await sleep(slice * 1000);
  const [to, used] = [sent(pid), process.cpuUsage(cpu)];
  const after = counter?.answer();
  // What was sent is read just before or after it: of the same time, by its rate.
  const counted = ((counter?.countedAt ?? NaN) - beganAt) / (to.at - from.at);
  counter?.close();
  const packets = to.packets - from.packets;
  const seen = { perSecond: (packets * 1000) / (to.at - from.at), nsPerDrop: (to.cpuNs - from.cpuNs) / packets };
  if (before?.ok !== true || after?.ok !== true) return { ...seen, left: watched };
  const { total, estimated = 0, error = 0 } = after.value;
  return {
    ...seen,
    left: false,
    wrong: (own(after.value) - own(before.value)) / (packets * counted) - 1,
    saidWrong: error / total,
    met: 1 - (estimated - (before.value.estimated ?? 0)) / (total - before.value.total),
    lookedAt: (after.value.lookedAt - before.value.lookedAt) / packets,
    ownNsPerDrop: ((used.user + used.system) * 1000) / packets,
  };
}

run('ip', 'netns', 'add', name);
try {
  const inside = (...args) => run('ip', 'netns', 'exec', name, ...args);
  inside('ip', 'link', 'add', 'out0', 'type', 'veth', 'peer', 'name', 'in0');
  inside('ip', 'addr', 'add', '10.9.0.1/24', 'dev', 'out0');
  for (const device of ['out0', 'in0']) inside('ip', 'link', 'set', device, 'up');
  inside('ip', 'neigh', 'add', '10.9.0.2', 'dev', 'out0', 'lladdr', '02:00:00:00:00:02');
  inside('nft', 'add table netdev bench');
  inside('nft', 'add chain netdev bench out { type filter hook egress device out0 priority 0; }');
  inside('nft', 'add rule netdev bench out meta l4proto udp drop');
  const seconds = String(Math.ceil(rounds * 2 * (slice + settle + 0.5) * 1.5 + 10));
  const options = ['--address', '10.9.0.2', '--rate', values.rate, '--seconds', seconds, '--life', seconds];
  const sender = spawn('ip', ['netns', 'exec', name, 'taskset', '-c', '1', compiled('udp-send'), ...options], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await sleep(1000);
  /** @type {Record<'without' | 'with', Awaited<ReturnType<typeof take>>[]>} */
  const seen = { without: [], with: [] };
  for (let round = 0; round < rounds; round++)
    for (const side of round % 2 ? ['with', 'without'] : ['without', 'with'])
      seen[side].push(await take(sender.pid, side === 'with'));
  sender.kill();
  await sleep(200);
  const ratios = seen.with.map(({ nsPerDrop }, round) => nsPerDrop / (seen.without[round]?.nsPerDrop ?? NaN));
  const stayed = seen.with.filter(({ left }) => !left);
  const told = stayed.flatMap((each) => ('wrong' in each ? [each] : []));
  const offs = told.map(({ wrong }) => wrong);
  const pick = (of, from = stayed) => Number(median(from.map((each) => each[of])).toPrecision(3));
  console.log(
    JSON.stringify({
      dropsPerSecond: pick('perSecond'),
      nsPerDropWithout: pick('nsPerDrop', seen.without),
      nsPerDropWith: pick('nsPerDrop'),
      withOverWithout: Number(median(ratios).toFixed(3)),
      quartiles: quartiles(ratios),
      ofPktcostNsPerDrop: pick('ownNsPerDrop'),
      slicesThatLeft: seen.with.length - stayed.length,
      met: pick('met'),
      lookedAt: pick('lookedAt'),
      wrong: quartiles(offs),
      mostWrong: Number(Math.max(...offs.map(Math.abs)).toFixed(4)),
      saidWrong: pick('saidWrong'),
      moreThanSaid: told.filter(({ wrong, saidWrong }) => Math.abs(wrong) > saidWrong).length,
      all: told.map(({ wrong, saidWrong }) => [wrong, saidWrong].map((part) => Number(part.toFixed(3)))),
    }),
  );
} finally {
  run('ip', 'netns', 'delete', name);
}
