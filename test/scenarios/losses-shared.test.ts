/** Losses at tables that many share: the neighbours of the whole host, and the ports of an address behind NAT. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { pause, withHosts } from './kit/hosts.ts';
import { Lab, ofHere, provoked, said, type Row } from './kit/lab.ts';
import { whyNot } from './kit/scenario.ts';

/** A subnet behind the router of 65,000 addresses, of which the server has some twenty. */
function wideSubnet(lab: Lab): void {
  const { outer, server } = lab.at;
  lab.router.run('ip', 'address', 'add', '198.19.0.1/16', 'dev', outer.device);
  lab.server.run('ip', 'address', 'add', '198.19.1.0/16', 'dev', server.device);
  for (let host = 1; host < 20; host += 1)
    lab.server.run('ip', 'address', 'add', `198.19.1.${host}/16`, 'dev', server.device);
}
/**
 * An address is asked for during three seconds, so that some 9,000 are pending at once: gc_thresh3 is 1,024 by default. One table
 * serves all namespaces, and for this time nobody on the host finds a new neighbour.
 */
async function scan(lab: Lab): Promise<void> {
  wideSubnet(lab);
  const limit = Number(lab.kit.itself().read('/proc/sys/net/ipv4/neigh/default/gc_thresh3'));
  await lab.craft({ to: '198.19.2.0', hosts: 60_000, rate: Math.max(3000, limit * 2) });
  await pause(1000);
}
async function few(lab: Lab): Promise<void> {
  wideSubnet(lab);
  await lab.server.make('udp-receive', { port: 9000, rcvbuf: 16 << 20 });
  await lab.craft({ to: '198.19.1.0', hosts: 20 });
}
const neighbours: Readonly<Record<string, Row>> = {
  'a neighbour table that overflows': {
    code: 'PKT0702',
    reason: 'NEIGH_CREATEFAIL',
    at: 'router',
    warns: true,
    says: /because (the neighbour table of the host is full \(gc_thresh3\)|no entry could be made)/,
    provoke: scan,
    twin: few,
  },
};

/** Until connection tracking itself says that it lost some: then they are lost all the time. */
async function untilClashes(lab: Lab): Promise<void> {
  const failed = (): number => {
    const [head = '', ...cpus] = lab.router.read('/proc/net/stat/nf_conntrack').trim().split('\n');
    const column = head.trim().split(/\s+/).indexOf('insert_failed');
    return cpus.reduce((sum, line) => sum + parseInt(line.trim().split(/\s+/)[column] ?? '', 16), 0);
  };
  for (let tries = 0; failed() < 50; tries += 1) {
    assert.ok(tries < 100, 'no two datagrams clashed within 20 s');
    await pause(200);
  }
}
/** Two clients behind one address, and rules that a packet passes after its port was chosen, as on any gateway. */
function gateway(lab: Lab, nat: boolean): void {
  const { router, at } = lab;
  const counters = Array.from({ length: 100 }, (_, port) => `udp dport ${1000 + port} counter;`).join(' ');
  const chains = [
    nat ? `chain n { type nat hook postrouting priority 100; oifname ${at.outer.device} masquerade; };` : '',
    `chain m { type filter hook postrouting priority 150; ct state new counter; ${counters} };`,
  ];
  router.nft(`table ip t { ${chains.join(' ')} }`);
  router.sysctl({ 'net.netfilter.nf_conntrack_udp_timeout': 2 });
}
async function queries(lab: Lab, options: Readonly<Record<string, number>>): Promise<unknown> {
  const mac = lab.router.read(`/sys/class/net/${lab.at.inner.device}/address`).trim();
  await lab.server.make('udp-receive', { port: 53, rcvbuf: 16 << 20 });
  const { device } = lab.at.client;
  return lab.client.make('clash', { device, mac, from: '198.18.0.100', to: lab.at.server.v4, port: 53, ...options });
}
const clashes: Readonly<Record<string, Row>> = {
  'names asked for by two clients from one port at one moment': {
    code: 'PKT0203',
    at: 'router',
    warns: true,
    says: /lost their conntrack entry to another packet of the same flow or port .*the table is not full/,
    provoke: async (lab) => {
      gateway(lab, true);
      await queries(lab, {});
      await untilClashes(lab);
    },
    twin: async (lab) => {
      gateway(lab, true);
      await queries(lab, { turns: 1 });
    },
  },
};

describe('losses at the neighbour table', () => {
  const reason = whyNot({ hostWide: 'the neighbour table (for ten seconds it is full)' }) ?? false;
  provoked(neighbours, reason);

  it('is told of the host, by its own counter, beside the namespace', { timeout: 240_000, skip: reason }, async () => {
    await withHosts(async (kit) => {
      const lab = new Lab(kit);
      await scan(lab);
      const { netns } = lab.router;
      const { report } = await kit.itself().diagnose('--window', '1s', '--netns', netns);
      const own = said({ ...report, findings: report.findings.filter(({ at }) => at['netns'] === '') }, 'PKT0702');
      assert.match(own?.summary ?? '', /the neighbour table of the host is full \(gc_thresh3\)/);
      assert.deepEqual(
        ofHere(report).filter(({ reason: name }) => name === 'NEIGH_CREATEFAIL'),
        [],
      );
    });
  });
});

describe('losses at the ports behind NAT', () => {
  const reason = whyNot({ needs: ['nft'], cpus: 2 }) ?? false;
  provoked(clashes, reason);

  // As A and AAAA from one socket: the kernel lets the second have the entry of the first.
  it('none of two datagrams of one flow at one moment', { timeout: 240_000, skip: reason }, async () => {
    await withHosts(async (kit) => {
      const lab = new Lab(kit);
      gateway(lab, false);
      await queries(lab, { apart: 0 });
      const { report } = await lab.router.diagnose('--window', '1s');
      assert.equal(said(report, 'PKT0203'), undefined);
    });
  });
});
