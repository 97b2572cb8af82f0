/** What the scenarios about the cost of packets have in common: a server, its client, and what is asked of a finding. */
import assert from 'node:assert/strict';

import type { Report } from '../../../src/generated/report.ts';
import type { Diagnosed, End, Host, Kit } from './hosts.ts';
import { finding } from './scenario.ts';

export interface Setting {
  readonly server: Host;
  readonly client: Host;
  readonly at: End;
  readonly back: End;
  readonly folder: string;
}

export function serverAndClient(kit: Kit): Setting {
  const [server, client] = [kit.host(), kit.host()];
  const [at, back] = kit.link(server, client);
  return { server, client, at, back, folder: kit.folder() };
}

export const PORT = 9000;
/** Rules about other things may speak when the machine is under load. */
export const beside = ['PKT0101', 'PKT0102', 'PKT0104', 'PKT0115', 'PKT0502', 'PKT0405', 'PKT0406'];
export const costs = [
  'PKT0106',
  'PKT0107',
  'PKT0108',
  'PKT0109',
  'PKT0110',
  'PKT0111',
  'PKT0116',
  'PKT0117',
  'PKT0118',
];

export const words = (line: string): string[] => line.split(' ');

export async function sent({ server, client }: Setting, address: string, rate = 20_000): Promise<void> {
  await server.make('udp-receive', { port: PORT, rcvbuf: 64 << 20 });
  await client.make('udp-send', { address, port: PORT, rate, size: 200 });
}

export async function underTraffic(setting: Setting): Promise<Diagnosed> {
  await sent(setting, setting.at.v4);
  return setting.server.diagnose();
}

/** The finding measured it, named mechanism and owner, and its figures are kept. */
export function named(report: Report, code: string, owner: RegExp): Readonly<Record<string, number>> {
  const found = finding(report, code);
  assert.equal(found.certainty, 'measured');
  assert.match(found.summary, owner);
  const { share, ns } = found.args;
  return {
    ...(typeof share === 'number' ? { share: Number(share.toFixed(2)) } : {}),
    ...(typeof ns === 'number' ? { 'ns per packet': Math.round(ns) } : {}),
  };
}
