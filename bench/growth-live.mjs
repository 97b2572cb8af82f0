// node bench/growth-live.mjs [KIND ...]: the same of what a live host has many of, as root, without the probe (npm run build first);
// and of the hosts of a Prometheus. `network namespaces`, `UDP sockets`, `TCP connections`, `packet sockets`, `hosts of a fleet`.
import { spawn } from 'node:child_process';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

import { collectors } from '../build/src/collectors/index.js';
import { describePage } from '../build/src/metrics/page.js';
import { liveReader } from '../build/src/sources/live-reader.js';
import { takeSample } from '../build/src/sources/take-sample.js';
import { servePrometheus } from '../build/test/scenarios/kit/prometheus.js';
import { curve, folder, spent, wanted } from './curve.mjs';
import { withNamespaces } from './namespaces.mjs';

const own = ['diagnose', '--window', '500ms', '--probe', 'off', '--fail-on', 'never'];

/** Holds sockets of a kind until its stdin ends. @type {Record<string, string>} */
const holders = {
  'UDP sockets': `
for i in range(count):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((f'127.0.{i // 20000}.1', 1024 + i % 20000)); held.append(s)`,
  'TCP connections': `
listener = socket.create_server(('127.0.0.1', 80), backlog=128); held.append(listener)
for i in range(count):
    s = socket.socket(); s.bind((f'127.0.{i // 20000}.2', 1024 + i % 20000)); s.connect(('127.0.0.1', 80))
    held += [s, listener.accept()[0]]`,
  'packet sockets': `
for i in range(count):
    held.append(socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x88b5)))`,
};

/** @param {string} kind @param {number} count @param {readonly string[]} under */
async function withSockets(kind, count, under) {
  const program = `
import resource, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (500000, 500000))
count, held = int(sys.argv[1]), []${holders[kind]}
print('ready', flush=True)
sys.stdin.read()`;
  const [command, ...words] = [...under, 'python3', '-c', program, String(count)];
  const child = spawn(command, words, { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = new Promise((resolve) => child.once('close', resolve));
  try {
    await Promise.race([
      new Promise((resolve) => child.stdout.once('data', resolve)),
      gone.then(() => Promise.reject(new Error(`${count} ${kind} were not made`))),
    ]);
    return await spent([...own, '--netns', 'none'], under);
  } finally {
    child.stdin.end();
    await gone;
  }
}

/** @param {number} count The same host so many times, each with five scrapes. */
async function ofFleet(count) {
  const at = join(folder, 'prometheus');
  rmSync(at, { recursive: true, force: true });
  mkdirSync(at);
  const sample = describePage(
    takeSample({ reader: liveReader({ procfs: '/proc', sysfs: '/sys', rootfs: '/' }), collectors }),
  );
  const end = Math.floor(Date.now() / 1000 / 60) * 60 - 3600;
  const times = [60, 45, 30, 15, 0].map((before) => end - before);
  /** @param {number} value */
  const stored = (value) => times.map((time) => /** @type {const} */ ([time, value]));
  const series = Array.from({ length: count }, (_, index) => ({ job: 'node', instance: `host${index}:9100` })).flatMap(
    (target) => [
      { name: 'up', labels: target, samples: stored(1) },
      ...sample.metrics().flatMap((metric) =>
        sample.series(metric).map(({ labels, value }) => ({
          name: metric.name,
          labels: { ...labels, ...target },
          samples: stored(value),
        })),
      ),
    ],
  );
  const server = await servePrometheus(at, series);
  try {
    const words = ['--prometheus', server.url, '--at', String(end), '--window', '60s', '--fail-on', 'never'];
    return await spent(['fleet', ...words, '--timeout', '5m']);
  } finally {
    server.stop();
  }
}

if (wanted('network namespaces'))
  await curve('network namespaces', 125, (count) => withNamespaces(count, () => spent(own)));
for (const [kind, first] of /** @type {const} */ ([
  ['UDP sockets', 5000],
  ['TCP connections', 5000],
  ['packet sockets', 1000],
]))
  if (wanted(kind))
    await withNamespaces(1, async ([name = '']) => {
      const under = ['ip', 'netns', 'exec', name];
      await new Promise((resolve) => spawn('ip', ['-n', name, 'link', 'set', 'lo', 'up']).once('close', resolve));
      await curve(kind, first, (count) => withSockets(kind, count, under));
    });
if (wanted('hosts of a fleet')) await curve('hosts of a fleet', 25, ofFleet);
