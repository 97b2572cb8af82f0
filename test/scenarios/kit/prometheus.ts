import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';

import type { Labels } from '../../../src/metrics/metric.ts';
import { formatValue } from '../../../src/metrics/exposition.ts';
import { lacking } from '../../support/needs.ts';

/** Why tests with a Prometheus are left out; false when they can run. */
export const withoutPrometheus = lacking({ tools: ['promtool', 'prometheus', 'setpriv'] });

/** A series as it is to be stored: Unix seconds and value, in order. */
export interface Stored {
  readonly name: string;
  readonly labels: Labels;
  readonly samples: readonly (readonly [number, number])[];
}

export interface Server {
  readonly url: string;
  stop(): void;
}

/** A Prometheus over these series, with its files in the folder. It ends with this process at the latest. */
export async function servePrometheus(folder: string, series: readonly Stored[]): Promise<Server> {
  // A later sample of a series must come after an earlier one.
  const lines = series
    .flatMap(({ name, labels, samples }) => {
      const inner = Object.entries(labels).map(([label, value]) => `${label}=${JSON.stringify(value)}`);
      return samples.map(([at, value]) => ({ at, line: `${name}{${inner.join(',')}} ${formatValue(value)} ${at}` }));
    })
    .sort((a, b) => a.at - b.at)
    .map(({ line }) => line);
  const page = join(folder, 'samples.om');
  writeFileSync(page, `${lines.join('\n')}\n# EOF\n`);
  const data = join(folder, 'data');
  const filled = spawnSync('promtool', ['tsdb', 'create-blocks-from', 'openmetrics', page, data], { encoding: 'utf8' });
  assert.equal(filled.status, 0, filled.stderr);
  const config = join(folder, 'prometheus.yml');
  writeFileSync(config, 'scrape_configs: []\n');
  const port = await freePort();
  const child = spawn(
    'setpriv',
    [
      ...['--pdeathsig', 'KILL', 'prometheus'],
      `--config.file=${config}`,
      `--storage.tsdb.path=${data}`,
      '--storage.tsdb.retention.time=10y',
      `--web.listen-address=127.0.0.1:${port}`,
      '--log.level=error',
    ],
    { stdio: 'ignore' },
  );
  const url = `http://127.0.0.1:${port}`;
  await answers(`${url}/-/ready`, () => child.exitCode === null);
  return { url, stop: () => void child.kill('SIGKILL') };
}

/** Waits until somebody answers there. */
export async function answers(url: string, alive: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 20_000; ;) {
    const ready = await fetch(url).then(
      async (response) => {
        await response.arrayBuffer();
        return response.ok;
      },
      () => false,
    );
    if (ready) return;
    assert.ok(Date.now() < deadline && alive(), `${url} does not answer`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
  });
}
