/** Losses that older filters make, that happen behind the host, and packets that nobody wants. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { withHosts } from './kit/hosts.ts';
import { Lab, ofHere, provoked, said, type Row } from './kit/lab.ts';
import { whyNot } from './kit/scenario.ts';

const PORT = 9000;
const words = (line: string): string[] => line.split(' ');

async function calm(lab: Lab): Promise<unknown> {
  await lab.server.make('udp-receive', { port: PORT, rcvbuf: 16 << 20 });
  return lab.client.make('udp-send', { address: lab.at.server.v4, port: PORT, rate: 1000 });
}
/** TCP over the router, which drops so many in a hundred of what has data. */
async function stream(lab: Lab, lost: number): Promise<unknown> {
  if (lost > 0)
    lab.router.nft(
      `table ip t { chain c { type filter hook forward priority 0; ip length > 500 numgen random mod 100 < ${lost} drop; }; }`,
    );
  await lab.server.make('tcp-read', { port: PORT, rate: 5_000_000 });
  return lab.client.make('tcp-send', { address: lab.at.server.v4, port: PORT, connections: 8 });
}
const beyond: Readonly<Record<string, Row>> = {
  'the policy of a chain of iptables': {
    code: 'PKT0704',
    reason: 'NETFILTER_DROP',
    at: 'server',
    says: /a netfilter rule .* dropped it/,
    provoke: (lab) => {
      lab.server.run(...words('iptables -P INPUT DROP'));
      return lab.craft();
    },
    twin: calm,
  },
  'what conntrack calls invalid': {
    code: 'PKT0704',
    reason: 'NETFILTER_DROP',
    at: 'router',
    provoke: (lab) => {
      lab.router.sysctl({ 'net.netfilter.nf_conntrack_tcp_loose': 0 });
      lab.router.nft('table ip t { chain c { type filter hook forward priority 0; ct state invalid drop; }; }');
      return lab.craft({ kind: 'tcp-ack' });
    },
    twin: (lab) => {
      lab.router.nft('table ip t { chain c { type filter hook forward priority 0; ct state invalid drop; }; }');
      return calm(lab);
    },
  },
  'htb with pfifo on the host that sends': {
    code: 'PKT0503',
    reason: 'QDISC_DROP',
    at: 'client',
    provoke: (lab) => {
      const { device, v4 } = { device: lab.at.client.device, v4: lab.at.server.v4 };
      lab.client.run(...words(`tc qdisc add dev ${device} root handle 1: htb default 1`));
      lab.client.run(...words(`tc class add dev ${device} parent 1: classid 1:1 htb rate 100kbit`));
      lab.client.run(...words(`tc qdisc add dev ${device} parent 1:1 pfifo limit 5`));
      return lab.client.make('udp-send', { address: v4, port: PORT, rate: 1000, wait: 0, sndbuf: 1 << 20 });
    },
    twin: calm,
  },
  'segments that get lost behind the host': {
    code: 'PKT0407',
    at: 'client',
    warns: true,
    says: /TCP segments were sent again/,
    provoke: (lab) => stream(lab, 10),
    twin: (lab) => stream(lab, 0),
  },
};

describe('losses by older filters, and behind the host', () => {
  provoked(beyond, whyNot({ needs: ['nft', 'tc', 'iptables'] }) ?? false);
});

describe('packets for nobody', () => {
  it(
    'a multicast group that nobody here joined is no loss',
    { timeout: 240_000, skip: whyNot({}) ?? false },
    async () => {
      await withHosts(async (kit) => {
        const lab = new Lab(kit);
        await lab.craft({ mac: '01:00:5e:01:01:01', to: '239.1.1.1' });
        const { report } = await lab.router.diagnose('--window', '1s');
        const rows = ofHere(report).filter(({ packets }) => packets >= 50);
        assert.deepEqual(
          rows.map(({ kind }) => kind === 'loss'),
          [false],
        );
        assert.match(rows[0]?.means ?? '', /nobody here joined its multicast group/);
        // A packet or two of a namespace's own find no route while its devices come up.
        const { lost = 0 } = said(report, 'PKT0701')?.args ?? {};
        assert.ok(typeof lost === 'number' && lost < 50, `PKT0701 tells ${String(lost)}`);
      });
    },
  );
});
