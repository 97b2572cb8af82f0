// npm run bench: each figure as a ratio or a difference within one run, medians of interleaved runs.
// `--large` also writes and samples the large host (half a million links on disk, about a minute).
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { sampleOnce } from '../build/src/diagnose.js';
import { size, writeLargeHost } from './large-host.mjs';

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
  const bare = [];
  const version = [];
  for (let round = 0; round < 15; round += 1) {
    bare.push(timed(() => spawnSync(process.execPath, ['-e', '0'])));
    version.push(timed(() => spawnSync(process.execPath, [bin, '--version'])));
  }
  const extra = median(version) - median(bare);
  report('start-up: --version minus bare node', `${extra.toFixed(0)} ms`, '<= 90 ms', extra <= 90);
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
    sampleOnce(live);
    for (let round = 0; round < 30; round += 1) {
      const started = performance.now();
      await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { connection: 'close' } })).text();
      theirs.push(performance.now() - started);
      ours.push(timed(() => sampleOnce(live)));
      await sleep(50);
    }
    const ratio = median(ours) / median(theirs);
    report(
      `one sample / node_exporter scrape (${median(ours).toFixed(1)} / ${median(theirs).toFixed(1)} ms)`,
      ratio.toFixed(2),
      '<= 1.0',
      ratio <= 1,
    );
  } finally {
    exporter.kill();
  }
}

function largeHost() {
  const root = mkdtempSync(join(tmpdir(), 'pktcost-large-'));
  try {
    writeLargeHost(root);
    const roots = { procfs: join(root, 'proc'), sysfs: join(root, 'sys'), rootfs: root };
    sampleOnce(roots);
    const seconds = median([1, 2, 3].map(() => timed(() => sampleOnce(roots)))) / 1000;
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
if (process.argv.includes('--large')) largeHost();
await wholeWindow(process.argv.includes('--quick') ? 5 : 30);
