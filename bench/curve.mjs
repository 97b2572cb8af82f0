// Growth: what pktcost takes of n, 2n, 4n and 8n things of a kind, in CPU time. What it takes of one is left out of the ratios; a step
// of more than 2.3 is a fault to explain, since what is read grows by 2.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const bin = fileURLToPath(new URL('../bin/pktcost.js', import.meta.url));
const MOST = 2.3;

/** Gone with this process. */
export const folder = mkdtempSync(join(tmpdir(), 'pktcost-growth-'));
process.once('exit', () => {
  rmSync(folder, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

/** @typedef {{ seconds: number, megabytes: number, lines: number }} Spent seconds of CPU time, the most memory, lines printed */

/**
 * A run of pktcost to its end.
 * @param {readonly string[]} words @param {readonly string[]} under a command that runs another, such as `ip netns exec NAME`
 * @returns {Promise<Spent>}
 */
export async function spent(words, under = []) {
  const [told, listener] = [join(folder, 'told'), join(folder, 'listener.cjs')];
  writeFileSync(
    listener,
    `process.on('exit', () => { const { user, system } = process.cpuUsage(); require('node:fs').writeFileSync(${JSON.stringify(told)}, ((user + system) / 1e6) + ' ' + process.resourceUsage().maxRSS / 1024); });`,
  );
  const [program = '', ...args] = [...under, process.execPath, '--require', listener, bin, ...words];
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => (said.out += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (said.err += text));
  const status = await new Promise((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  if (status !== 0) throw new Error(`exit code ${status}: ${said.err}`);
  const [seconds = NaN, megabytes = NaN] = readFileSync(told, 'utf8').split(' ').map(Number);
  return { seconds, megabytes, lines: said.out.split('\n').length };
}

/** @param {string} kind @param {number} first @param {(count: number) => Promise<Spent>} take */
export async function curve(kind, first, take) {
  const one = await take(1);
  /** @type {number | undefined} */
  let earlier;
  for (const count of [first, first * 2, first * 4, first * 8]) {
    const { seconds, megabytes, lines } = await take(count);
    const own = Math.max(seconds - one.seconds, 0.001);
    const ratio = earlier === undefined ? undefined : own / earlier;
    // Below a tenth of a second it is the noise that grows.
    const fault = ratio !== undefined && ratio > MOST && own > 0.1;
    console.log(
      `${fault ? 'MISS' : 'ok  '}  ${count.toLocaleString('en-US').padStart(9)} ${kind.padEnd(34)} ${own.toFixed(2).padStart(6)} s CPU  ${ratio === undefined ? '      ' : `x ${ratio.toFixed(2)}`}  ${megabytes.toFixed(0).padStart(5)} MB  ${lines} lines`,
    );
    earlier = own;
  }
}

/** @param {string} kind Whether it was asked for on the command line, as all are where none is named. */
export function wanted(kind) {
  const kinds = process.argv.slice(2);
  return kinds.length === 0 || kinds.includes(kind);
}
