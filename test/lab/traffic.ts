/** Hosts and traffic of the lab: small, because the machine is emulated. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Report } from '../../src/generated/report.ts';
import { pause, type End, type Host, type Kit, type Program } from '../scenarios/kit/hosts.ts';
import type { Guest } from './check.ts';

export interface Pair {
  readonly server: Host;
  readonly client: Host;
  readonly at: End;
  /** The client's end. */
  readonly from: End;
}

export function twoHosts(kit: Kit): Pair {
  const [server, client] = [kit.host(), kit.host()];
  const [at, from] = kit.link(server, client);
  return { server, client, at, from };
}

const PORT = 9000;

/** Datagrams to a reader that keeps up, until the check ends. */
export async function udp(server: Host, client: Host, at: End, rate = 1000, size = 200, life = 600): Promise<void> {
  await server.make('udp-receive', { port: PORT, rcvbuf: 1 << 20, life });
  await client.make('udp-send', { address: at.v4, port: PORT, rate, size, life, seconds: life });
}

let serial = 0;

/** A diagnosis of two seconds; its report is kept beside the results. */
export async function diagnosed(guest: Guest, host: Host, ...flags: readonly string[]): Promise<Report> {
  const window = flags.includes('--window') ? [] : ['--window', '2s'];
  const { report } = await host.diagnose('--max-overhead', '90%', ...window, ...flags);
  guest.keep(`report-${++serial}.json`, JSON.stringify(report, undefined, 1));
  return report;
}

/** A tap of an emulated machine may take longer than any does on a real one. */
export function slowTaps(kit: Kit): readonly string[] {
  const path = join(kit.folder(), 'config.json');
  writeFileSync(path, JSON.stringify({ thresholds: { PKT0101: { dearest: 1_000_000_000 } } }));
  return ['--config', path];
}

/** A capture that keeps nothing. */
export function tcpdump(host: Host, device: string, ...filter: readonly string[]): Promise<Program> {
  return host.start(['tcpdump', '-n', '-i', device, '-Z', 'root', '-w', '/dev/null', ...filter], {
    ready: /listening on/,
  });
}

export async function until(what: string, holds: () => boolean, seconds = 90): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${what}`);
    await pause(300);
  }
}
