// npm run bench: each figure as a ratio or a difference within one run, medians of interleaved runs.
// `--large` also writes and samples the large host (half a million links on disk, about a minute) and, as root, makes
// and samples 1,000 network namespaces.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { sampleOnce } from '../build/src/jobs/metrics.js';
import { collectors as everything } from '../build/src/collectors/index.js';
import { judgedOfOthers } from '../build/src/jobs/judge.js';
import { expose } from '../build/src/metrics/exposition.js';
import { chooseNamespaces } from '../build/src/sources/choose.js';
import { liveReader } from '../build/src/sources/live-reader.js';
import { takeSample, viewsOf } from '../build/src/sources/take-sample.js';
import { size, writeLargeHost } from './large-host.mjs';
import { withNamespaces } from './namespaces.mjs';
import { nodesAtHand, startUps } from './start-up.mjs';

const bin = new URL('../bin/pktcost.js', import.meta.url).pathname;
const live = { procfs: '/proc', sysfs: '/sys', rootfs: '/' };
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];
const timed = (work) => {
  const started = performance.now();
  work();
  return performance.now() - started;
};
const report = (what, figure, goal, pass) =>
  console.log(`${pass ? 'ok  ' : 'MISS'}  ${what.padEnd(58)} ${figure.padStart(12)}  (goal ${goal})`);

function startUp() {
  for (const node of nodesAtHand())
    for (const { name, ms, cpuMs, ratio, goal } of startUps(node, 20).slice(1))
      report(
        `start-up / bare node: ${name} (${ms.toFixed(0)} ms, CPU ${cpuMs.toFixed(0)} ms), ${/node-\d+/.exec(node)?.[0] ?? process.version}`,
        ratio.toFixed(2),
        goal === undefined ? '-' : `<= ${goal}`,
        goal === undefined || ratio <= goal,
      );
}

async function againstNodeExporter() {
  const port = 19100 + (process.pid % 500);
  const collectors = [
    'cpu',
    'conntrack',
    'meminfo',
    'meminfo_numa',
    'netdev',
    'netclass',
    'netstat',
    'sockstat',
    'softnet',
    'stat',
    'pressure',
    'zoneinfo',
    'interrupts',
    'udp_queues',
    'uname',
  ];
  const args = [
    `--web.listen-address=127.0.0.1:${port}`,
    '--collector.disable-defaults',
    '--collector.netstat.fields=.*',
    ...collectors.map((name) => `--collector.${name}`),
  ];
  let exporter;
  try {
    exporter = spawn('prometheus-node-exporter', args, { stdio: 'ignore' });
    await new Promise((resolve, reject) => exporter.once('spawn', resolve).once('error', reject));
  } catch {
    console.log('      one sample against node_exporter: left out, prometheus-node-exporter is not installed');
    return;
  }
  try {
    await sleep(1500);
    const theirs = [];
    const ours = [];
    // A scrape also prints its page and goes through HTTP, a sample also has processes, sockets and their owners, PCI and
    // DMI. The clock favours the exporter, whose collectors run side by side; CPU time does not.
    const ticks = () => {
      const stat = readFileSync(`/proc/${exporter.pid}/stat`, 'latin1').split(') ')[1].split(' ');
      return (Number(stat[11]) + Number(stat[12])) * 10;
    };
    const spent = { exporter: -ticks(), sample: 0, page: 0 };
    const cpuOf = async (work) => {
      const before = process.cpuUsage();
      const result = await work();
      const { user, system } = process.cpuUsage(before);
      return { result, milliseconds: (user + system) / 1000 };
    };
    const rounds = 30;
    for (let round = 0; round < rounds; round += 1) {
      const started = performance.now();
      await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { connection: 'close' } })).text();
      theirs.push(performance.now() - started);
      const begun = performance.now();
      const { result, milliseconds } = await cpuOf(() => sampleOnce(live));
      ours.push(performance.now() - begun);
      spent.sample += milliseconds;
      spent.page += (await cpuOf(() => expose(result))).milliseconds;
      await sleep(50);
    }
    spent.exporter += ticks();
    const ratio = median(ours) / median(theirs);
    report(
      `one sample / node_exporter scrape (${median(ours).toFixed(1)} / ${median(theirs).toFixed(1)} ms)`,
      ratio.toFixed(2),
      '<= 1.0',
      ratio <= 1,
    );
    const each = (milliseconds) => (milliseconds / rounds).toFixed(1);
    console.log(
      `      the same in CPU time: ${each(spent.sample)} ms, ${each(spent.page)} ms more for the page; exporter ${each(spent.exporter)} ms`,
    );
  } finally {
    exporter.kill();
  }
}

async function largeHost() {
  const root = mkdtempSync(join(tmpdir(), 'pktcost-large-'));
  try {
    writeLargeHost(root);
    const roots = { procfs: join(root, 'proc'), sysfs: join(root, 'sys'), rootfs: root };
    await sampleOnce(roots);
    const taken = [];
    for (let round = 0; round < 3; round += 1) {
      const started = performance.now();
      await sampleOnce(roots);
      taken.push(performance.now() - started);
    }
    const seconds = median(taken) / 1000;
    report(
      `one sample: ${size.cpus} CPUs, ${size.devices} devices, ${size.processes} x ${size.descriptors} fds`,
      `${seconds.toFixed(2)} s`,
      '<= 2 s',
      seconds <= 2,
    );
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

async function manyNamespaces(count) {
  if (process.getuid?.() !== 0) {
    console.log(`      one sample of ${count} namespaces: left out, it needs root`);
    return;
  }
  await withNamespaces(count, () => {
    const sample = () => {
      const chosen = chooseNamespaces('all', live);
      if (!chosen.ok) throw new Error(chosen.reason);
      const namespaces = viewsOf(chosen.value, live);
      return takeSample({ reader: liveReader(live), collectors: everything, namespaces, keep: judgedOfOthers });
    };
    const used = [1, 2, 3].map(() => {
      const before = process.cpuUsage();
      const wall = timed(sample) / 1000;
      const { user, system } = process.cpuUsage(before);
      return { cpu: (user + system) / 1e6, wall };
    });
    const cpu = median(used.map((each) => each.cpu));
    const wall = median(used.map((each) => each.wall)).toFixed(2);
    report(
      `one sample: ${count} namespaces, CPU time (${wall} s on the clock)`,
      `${cpu.toFixed(2)} s`,
      '<= 2 s',
      cpu <= 2,
    );
    const run = spawnSync(process.execPath, [bin, 'diagnose', '--window', '2s', '--json'], { maxBuffer: 1 << 28 });
    const megabytes = JSON.parse(run.stdout.toString()).selfCost.peakMemoryBytes / 1024 / 1024;
    report(`peak memory with ${count} namespaces`, `${megabytes.toFixed(0)} MB`, '<= 110 MB', megabytes <= 110);
  });
}

/** A whole run as a user starts it: CPU and peak memory from /proc while it lasts, and how long the end took. */
async function wholeWindow(seconds) {
  const child = spawn(process.execPath, [bin, 'diagnose', '--window', `${seconds}s`, '--json'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  let output = '';
  child.stdout.on('data', (bytes) => (output += bytes));
  const seen = { ticks: 0, peak: 0 };
  const timer = setInterval(() => {
    try {
      const stat = readFileSync(`/proc/${child.pid}/stat`, 'latin1').split(') ')[1].split(' ');
      seen.ticks = Number(stat[11]) + Number(stat[12]);
      seen.peak = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'latin1'))?.[1] ?? seen.peak);
    } catch {
      // The process has just ended; the last reading stands.
    }
  }, 20);
  await new Promise((resolve) => child.once('close', resolve));
  const closed = Date.now();
  clearInterval(timer);
  const result = JSON.parse(output);
  const lag = closed - Date.parse(result.window.endedAt);
  const ticks = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  const share = seen.ticks / ticks / seconds;
  report(
    `CPU of pktcost in a ${seconds} s window, start-up included`,
    `${(share * 100).toFixed(2)} %`,
    '<= 1 % of a core at 30 s',
    seconds < 30 || share <= 0.01,
  );
  report('peak memory', `${(seen.peak / 1024).toFixed(0)} MB`, '<= 110 MB', seen.peak / 1024 <= 110);
  report('end of window to end of output', `${lag.toFixed(0)} ms`, '<= 200 ms', lag <= 200);
}

startUp();
await againstNodeExporter();
if (process.argv.includes('--large')) {
  await manyNamespaces(1000);
  await largeHost();
}
await wholeWindow(process.argv.includes('--quick') ? 5 : 30);
