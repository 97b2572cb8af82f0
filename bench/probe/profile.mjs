/**
 * Does the profile say where the time goes? For each scenario: the parts of receiving and sending that the profile names, the share
 * of samples that it can name at all and what is "other", what sampling itself took, and, where perf is installed, the same shares
 * from `perf record` over the same seconds.
 *
 *   node bench/probe/profile.mjs [--only WORD] [--seconds 5] [--pps 50000] [--perf]
 */
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
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
import { loadLibbpf } from '../../build/src/probe/libbpf.js';
import { findObjects } from '../../build/src/probe/objects.js';
import { Overhead } from '../../build/src/probe/overhead.js';
import { Sampler } from '../../build/src/probe/profile/sampler.js';
import { functionName, KernelSymbols } from '../../build/src/probe/symbols.js';
import { classify } from '../../build/src/profile/classify.js';
import { directionOfStack } from '../../build/src/profile/direction.js';
import { encodeProfile } from '../../build/src/profile/stacks.js';
import { compiled } from '../../build/test/scenarios/kit/programs.js';
import { Lab, run } from '../../build/test/probe/lab.js';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    seconds: { type: 'string', default: '5' },
    pps: { type: 'string', default: '50000' },
    perf: { type: 'boolean', default: false },
    stacks: { type: 'boolean', default: false },
  },
});
const seconds = Number(values.seconds);
const unwrap = (result) => {
  if (!result.ok) throw new Error(result.reason);
  return result.value;
};

const inNs = (netns, ...command) => run('ip', 'netns', 'exec', netns, ...command);
function nftRules(lab, count, extra = '') {
  const rules = Array.from({ length: count }, (_, i) => `ip saddr 192.0.2.${i % 250} udp dport ${10000 + i} drop`).join(
    '\n',
  );
  const path = join(scratch, 'rules.nft');
  writeFileSync(path, `table ip pktcost {\nchain in {\ntype filter hook input priority 0;\n${extra}\n${rules}\n}\n}\n`);
  inNs(lab.receiver, 'nft', '-f', path);
}

const udp = (lab) => {
  lab.start(lab.receiver, compiled('udp-receive'), '--address', '10.9.0.2', '--port', '9000');
  const to = ['--address', '10.9.0.2', '--port', '9000', '--rate', values.pps, '--seconds', String(seconds + 4)];
  lab.start(lab.sender, compiled('udp-send'), ...to);
};
const tcp = async (lab) => {
  await lab.serve();
  lab.start(lab.sender, 'iperf3', '-c', '10.9.0.2', '-t', String(seconds + 4));
};

const scenarios = {
  'udp plain': udp,
  'tcp plain': tcp,
  'nft 200 rules': (lab) => {
    nftRules(lab, 200);
    udp(lab);
  },
  'nft 2000 rules': (lab) => {
    nftRules(lab, 2000);
    udp(lab);
  },
  'tcpdump on receive': async (lab) => {
    await lab.tcpdump();
    udp(lab);
  },
  'tcpdump on transmit': async (lab) => {
    lab.start(lab.sender, 'tcpdump', '-i', lab.peer, '-w', '/dev/null', '-Z', 'root');
    await sleep(700);
    udp(lab);
  },
  iptables: (lab) => {
    for (let i = 0; i < 100; i += 1)
      inNs(lab.receiver, 'iptables', '-A', 'INPUT', '-s', `192.0.2.${i}`, '-p', 'udp', '-j', 'DROP');
    udp(lab);
  },
  conntrack: (lab) => {
    inNs(lab.receiver, 'iptables', '-A', 'INPUT', '-m', 'conntrack', '--ctstate', 'INVALID', '-j', 'DROP');
    udp(lab);
  },
  'ip rules': (lab) => {
    const path = join(scratch, 'rules.ip');
    writeFileSync(
      path,
      Array.from(
        { length: 1000 },
        (_, i) => `rule add from 198.51.${i >> 8}.${i & 255} table 100 pref ${i + 100}`,
      ).join('\n'),
    );
    inNs(lab.receiver, 'ip', '-batch', path);
    udp(lab);
  },
  'u32 filters': (lab) => {
    inNs(lab.receiver, 'tc', 'qdisc', 'add', 'dev', lab.device, 'clsact');
    for (let i = 0; i < 100; i += 1)
      inNs(
        lab.receiver,
        ...['tc', 'filter', 'add', 'dev', lab.device, 'ingress', 'protocol', 'ip', 'pref', String(10 + i)],
        ...['u32', 'match', 'ip', 'src', `192.0.2.${i}/32`, 'action', 'drop'],
      );
    udp(lab);
  },
  'tbf and fq': (lab) => {
    inNs(lab.sender, 'tc', 'qdisc', 'add', 'dev', lab.peer, 'root', 'fq');
    udp(lab);
  },
};

async function sample() {
  const sampler = unwrap(
    await Sampler.open({
      bpf: unwrap(loadLibbpf()),
      objects: unwrap(findObjects()),
      procfs: '/proc',
      symbols: new KernelSymbols('/proc'),
      sysfs: '/sys',
      windowSeconds: seconds,
      overhead: new Overhead(0.01),
      devices: () => [],
      ownPrograms: () => [],
    }),
  );
  const data = join(scratch, 'perf.data');
  const perf = values.perf
    ? spawn(
        'perf',
        ['record', '-q', '-a', '-g', '-e', 'cpu-clock:k', '-F', '997', '-o', data, 'sleep', String(seconds)],
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

/** perf's own stacks, cut and named by the same tables: another sampler, the same reading. */
function ofPerf(data) {
  const script = execFileSync('perf', ['script', '-i', data, '-F', 'ip,sym'], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const shares = new Map();
  for (const block of script.split('\n\n')) {
    const names = block
      .split('\n')
      .map((line) => functionName(/^\s*[0-9a-f]+\s+(\S+)/.exec(line)?.[1] ?? ''))
      .filter((name) => name !== '')
      .reverse();
    const way = directionOfStack(names);
    if (way === undefined) continue;
    const frames = names.slice(way.from).map((name) => ({ name, program: null }));
    add(shares, way.direction, classify(frames, { foreignTracing: true, fanOut: false }).part, 1);
  }
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

const scratch = mkdtempSync(join(tmpdir(), 'pktcost-profile-'));
try {
  for (const [name, prepare] of Object.entries(scenarios)) {
    if (!name.includes(values.only)) continue;
    const lab = new Lab();
    try {
      await prepare(lab);
      await sleep(1000);
      print(name, await sample());
    } catch (error) {
      // A kernel without these rules or filters: the others are still worth their time.
      console.log(`\n${name}: not here (${String(error).split('\n')[0]})`);
    } finally {
      await lab.close();
    }
  }
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
