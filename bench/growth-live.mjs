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

/** What holds `count` sockets of a kind, as the process of number `place`. @type {Record<string, string>} */
const holders = {
  'UDP sockets': `
for i in range(count):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind((f'127.0.{place}.1', 1024 + i)); held.append(s)`,
  'TCP connections': `
listener = socket.create_server((f'127.0.{place}.1', 80), backlog=128)
for i in range(count):
    s = socket.socket(); s.bind((f'127.0.{place}.2', 1024 + i)); s.connect((f'127.0.{place}.1', 80))
    held += [s, listener.accept()[0]]`,
  'packet sockets': `
for i in range(count):
    held.append(socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x88b5)))`,
};

/** Not every user may have more descriptors than 20,000. */
const EACH = 5000;

/** Holds them until its stdin ends. @param {string} kind @param {readonly string[]} words @param {readonly string[]} under */
function holder(kind, words, under) {
  const program = `
import resource, socket, sys
most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
count, place, held = int(sys.argv[1]), int(sys.argv[2]), []${holders[kind]}
print('ready', flush=True)
sys.stdin.read()`;
  const [command, ...others] = [...under, 'python3', '-c', program, ...words];
  const child = spawn(command, others, { stdio: ['pipe', 'pipe', 'inherit'] });
  const gone = new Promise((resolve) => child.once('close', resolve));
  const ready = Promise.race([
    new Promise((resolve) => child.stdout.once('data', resolve)),
    gone.then(() => Promise.reject(new Error(`the ${kind} were not made`))),
  ]);
  const end = () => {
    child.stdin.end();
    return gone;
  };
  return { ready, end };
}

/** @param {string} kind @param {number} count @param {readonly string[]} under */
async function withSockets(kind, count, under) {
  const parts = Array.from({ length: Math.ceil(count / EACH) }, (_, place) => Math.min(EACH, count - place * EACH));
  const all = parts.map((part, place) => holder(kind, [`${part}`, `${place}`], under));
  try {
    await Promise.all(all.map(({ ready }) => ready));
    return await spent([...own, '--netns', 'none'], under);
  } finally {
    await Promise.all(all.map(({ end }) => end()));
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
