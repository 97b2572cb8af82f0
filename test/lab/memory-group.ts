/** A control group of version 2 whose sockets hold more than it may have. */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';

import { startInGroup } from '../scenarios/kit/groups.ts';
import { Lab, said } from '../scenarios/kit/lab.ts';
import { Skip, type Check } from './check.ts';
import { argvOf, GROUPS, PORT } from './loss-ways.ts';
import { diagnosed, until } from './traffic.ts';

/** Of the memory of a group. */
const LIMIT = 16 << 20;

export const memoryGroupChecks: readonly Check[] = [
  {
    id: 'loss-memory-group',
    what: 'PKT0405: a control group of version 2 whose sockets hold more than memory.max lets it have',
    seconds: 300,
    run: async (guest) => {
      const lab = new Lab(guest.kit);
      const { netns } = lab.server;
      const limited = async (name: string, argv: readonly string[]): Promise<() => string> => {
        writeFileSync(`${GROUPS}/cgroup.subtree_control`, '+memory');
        const folder = `${GROUPS}/pktc-${process.pid}-${name}`;
        await startInGroup(lab.kit, folder, ['ip', 'netns', 'exec', netns, ...argv], async () => {
          writeFileSync(`${folder}/memory.max`, `${LIMIT}`);
          await Promise.resolve();
        });
        return () =>
          ['memory.current', 'memory.events', 'memory.stat']
            .map((file) => readFileSync(`${folder}/${file}`, 'utf8'))
            .join('\n');
      };
      const of = (groups: readonly (() => string)[]): string =>
        groups
          .map((read) => (read().match(/^(?:\d+|(?:max|oom|sock|sock_throttled) \d+)$/gm) ?? []).join(', '))
          .join(' | ');
      const unread = { rcvbuf: 64 << 20, read: 0, life: 600 };
      const udp = await limited('udp', argvOf('udp-receive', { port: PORT, ...unread }));
      const tcp = await limited('tcp', argvOf('tcp-read', { port: PORT + 1, rate: 1000, rcvbuf: 64 << 20, life: 600 }));
      const { v4: address } = lab.at.server;
      const endless = { address, life: 600, seconds: 600 };
      await lab.client.make('udp-send', { ...endless, port: PORT, rate: 500, size: 8000 });
      await lab.client.make('tcp-send', { ...endless, port: PORT + 1, connections: 2 });
      const counted = (): readonly string[] =>
        lab.server
          .run('nstat', '-asz')
          .match(/^(?:UdpInErrors|UdpRcvbufErrors|UdpMemErrors|TcpExtTCPRcvQDrop|TcpExtTCPRcvPruned) +\d+/gm) ?? [];
      await until('the group is at its limit', () => Number(udp().split('\n')[0]) > 0.9 * LIMIT);
      const before = counted();
      guest.note(`before: ${before.join(', ').replace(/ +/g, ' ')}; ${of([udp, tcp])}`);
      const report = await diagnosed(guest, guest.kit.itself(), '--netns', netns, '--window', '4s');
      guest.note(`after: ${counted().join(', ').replace(/ +/g, ' ')}; ${of([udp, tcp])}`);
      const findings = report.findings.filter((each) => each.at['netns'] === netns);
      for (const code of ['PKT0403', 'PKT0405'])
        guest.note(`${code}: ${said({ ...report, findings }, code)?.summary ?? 'nothing lost'}`);
      const refused = (lines: readonly string[]): number =>
        Number(/\d+$/.exec(lines.find((line) => line.startsWith('UdpMemErrors')) ?? '')?.[0] ?? 0);
      if (refused(counted()) === refused(before))
        throw new Skip('this kernel charges what arrives beyond the limit, and refuses no datagram');
      const lost = said({ ...report, findings }, 'PKT0405');
      assert.match(lost?.summary ?? '', /for want of memory.* control group \S*pktc-\d+-udp/);
    },
  },
];
