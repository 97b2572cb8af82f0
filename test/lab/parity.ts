/** The same files read by node_exporter and by pktcost, on this kernel. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { openSync } from 'node:fs';
import { get } from 'node:http';
import { pause, runOrThrow } from '../scenarios/kit/hosts.ts';
import type { Check } from './check.ts';

const COLLECTORS = [
  ...['conntrack', 'cpu', 'interrupts', 'meminfo', 'meminfo_numa', 'netdev', 'netstat', 'pressure', 'sockstat'],
  ...['softnet', 'zoneinfo'],
];
const PORT = 9100;

/** Series of an exposition page by name and labels in order. */
function parsePage(page: string): Map<string, number> {
  const series = new Map<string, number>();
  for (const line of page.split('\n')) {
    const found = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line);
    if (found === null) continue;
    const [, name = '', labels = '', value = ''] = found;
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([pair]) => pair).sort();
    series.set(`${name}{${pairs.join()}}`, Number(value));
  }
  return series;
}

function scrape(): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port: PORT, path: '/metrics' }, (answer) => {
      let page = '';
      answer.setEncoding('utf8').on('data', (text: string) => (page += text));
      answer.on('end', () => {
        resolve(page);
      });
    }).on('error', reject);
  });
}

async function scrapeWhenUp(): Promise<string> {
  for (let tries = 0; ; tries++) {
    try {
      return await scrape();
    } catch (error) {
      if (tries > 240) throw error;
      await pause(500);
    }
  }
}

const nameOf = (key: string): string => key.slice(0, key.indexOf('{'));

export const parityChecks: readonly Check[] = [
  {
    id: 'parity',
    what: 'every series that node_exporter gives too has the same value',
    seconds: 180,
    run: async ({ kit, keep, note }) => {
      runOrThrow(['modprobe', 'nf_conntrack']);
      const exporter = spawn(
        'prometheus-node-exporter',
        [
          '--collector.disable-defaults',
          ...COLLECTORS.map((each) => `--collector.${each}`),
          `--web.listen-address=127.0.0.1:${PORT}`,
        ],
        { stdio: ['ignore', 'ignore', openSync('/results/exporter.log', 'w')] },
      );
      kit.undo(() => exporter.kill('SIGKILL'));
      await scrapeWhenUp();
      const first = await scrape();
      const { out, err, exitCode } = await kit.itself().pktcost('metrics');
      const second = await scrape();
      assert.equal(exitCode, 0, err);
      keep('pktcost.txt', out);
      keep('node_exporter.txt', second);
      const [before, ours, after] = [parsePage(first), parsePage(out), parsePage(second)];
      const names = new Set([...ours.keys()].map(nameOf));
      const wrong: string[] = [];
      let compared = 0;
      for (const [key, low] of before) {
        const high = after.get(key);
        if (high === undefined || !names.has(nameOf(key)) || !nameOf(key).startsWith('node_')) continue;
        const value = ours.get(key);
        if (value === undefined) {
          // Most of a large host's interrupt cells are zero, and pktcost keeps none of them.
          if (high === 0 && key.startsWith('node_interrupts_total{')) continue;
          wrong.push(`${key}: missing`);
          continue;
        }
        compared++;
        // A counter lies between the scrapes; a gauge that stood still must be the same.
        const rising = high >= low && value >= low * (1 - 1e-9) && value <= high * (1 + 1e-9);
        // pktcost's own sockets are among these, and the scrape's connection.
        if (key.startsWith('node_sockstat_') || key.startsWith('node_netstat_Tcp_CurrEstab')) continue;
        // So is its memory.
        if (/^node_(memory|zoneinfo_nr_anon)_/.test(key) && value < 3 * high && high < 3 * value) continue;
        const moved = high !== low && !/_total$/.test(nameOf(key));
        if (!rising && !moved) wrong.push(`${key}: ${String(value)}, node_exporter ${String(low)} and ${String(high)}`);
      }
      note(`${compared} series compared, of ${names.size} metrics`);
      keep('wrong.txt', wrong.join('\n'));
      assert.ok(compared > 200, `only ${compared} series could be compared`);
      assert.deepEqual(wrong.slice(0, 10), [], `${wrong.length} differ`);
    },
  },
];
