/** Every way to lose packets that can be provoked in namespaces, each named by reason, rule and namespace; and its twin. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { withHosts } from './kit/hosts.ts';
import { Lab, ofHere, provoked, said, type Row } from './kit/lab.ts';
import { whyNot } from './kit/scenario.ts';

const NFT = (hook: string, rest: string): string =>
  `table ip t { chain c { type filter hook ${hook} priority 0; ${rest} }; }`;

const rows: Readonly<Record<string, Row>> = {
  'a source that is behind another device (rp_filter)': {
    code: 'PKT0701',
    reason: 'IP_RPFILTER',
    at: 'router',
    provoke: (lab) => {
      lab.router.sysctl({ 'net.ipv4.conf.all.rp_filter': 1 });
      return lab.craft({ from: '198.51.100.9' });
    },
  },
  'a source of 127.0.0.0/8 (martian)': {
    code: 'PKT0701',
    reason: 'IP_LOCALNET',
    at: 'router',
    provoke: (lab) => lab.craft({ from: '127.0.0.5' }),
  },
  'a source that is the router itself (martian)': {
    code: 'PKT0701',
    reason: 'IP_LOCAL_SOURCE',
    at: 'router',
    provoke: (lab) => lab.craft({ from: lab.at.inner.v4 }),
  },
  'no route': {
    code: 'PKT0701',
    reason: 'IP_INNOROUTES',
    at: 'router',
    provoke: (lab) => lab.craft({ to: '203.0.113.9' }),
  },
  'no route, IPv6': {
    code: 'PKT0701',
    reason: 'IP_INNOROUTES',
    at: 'router',
    provoke: (lab) => lab.craft({ to: 'fd00:99::9' }),
  },
  'a blackhole route': {
    code: 'PKT0701',
    reason: 'ip_error',
    at: 'router',
    provoke: (lab) => {
      lab.router.run('ip', 'route', 'add', 'blackhole', '203.0.113.0/24');
      return lab.craft({ to: '203.0.113.9' });
    },
  },
  'a blackhole route, IPv6': {
    code: 'PKT0701',
    reason: 'dst_discard_out',
    at: 'router',
    says: /a blackhole route takes it/,
    provoke: (lab) => {
      lab.router.run('ip', '-6', 'route', 'add', 'blackhole', 'fd00:99::/64');
      return lab.craft({ to: 'fd00:99::9' });
    },
    twin: async (lab) => {
      lab.router.run('ip', '-6', 'route', 'add', 'blackhole', 'fd00:99::/64');
      await lab.server.make('udp-receive', { address: '::', port: 9000, rcvbuf: 16 << 20 });
      return lab.client.make('udp-send', { address: lab.at.server.v6, port: 9000, rate: 1000 });
    },
  },
  'an unreachable route': {
    code: 'PKT0701',
    reason: 'ip_error',
    at: 'router',
    provoke: (lab) => {
      lab.router.run('ip', 'route', 'add', 'unreachable', '203.0.113.0/24');
      return lab.craft({ to: '203.0.113.9' });
    },
  },
  'forwarding is off': {
    code: 'PKT0701',
    reason: 'IP_INADDRERRORS',
    at: 'router',
    provoke: (lab) => {
      lab.router.sysctl({ 'net.ipv4.ip_forward': 0 });
      return lab.craft();
    },
  },
  'a TTL that runs out': {
    code: 'PKT0701',
    reason: 'IP_INHDR',
    at: 'router',
    provoke: (lab) => lab.craft({ kind: 'ttl' }),
  },
  'a hop limit that runs out': {
    code: 'PKT0701',
    reason: 'IP_INHDR',
    at: 'router',
    provoke: (lab) => lab.craft({ kind: 'ttl', to: lab.at.server.v6 }),
  },
  'a neighbour that does not answer': {
    code: 'PKT0702',
    reason: 'NEIGH_QUEUEFULL',
    at: 'router',
    provoke: (lab) => lab.craft({ to: lab.at.server.v4.replace(/\d+$/, '99') }),
  },
  'a neighbour that does not answer, IPv6': {
    code: 'PKT0702',
    reason: 'NEIGH_QUEUEFULL',
    at: 'router',
    provoke: (lab) => lab.craft({ to: lab.at.server.v6.replace(/\d+$/, '99') }),
  },
  'too big for the MTU, and not to be fragmented': {
    code: 'PKT0703',
    reason: 'PKT_TOO_BIG',
    at: 'router',
    provoke: (lab) => {
      lab.router.run('ip', 'link', 'set', lab.at.outer.device, 'mtu', '1000');
      return lab.craft({ kind: 'whole', size: 1200 });
    },
  },
  'fragments that come alone': {
    code: 'PKT0703',
    reason: 'FRAG_REASM_TIMEOUT',
    at: 'server',
    provoke: async (lab) => {
      lab.server.sysctl({ 'net.ipv4.ipfrag_time': 1 });
      const sent = await lab.craft({ kind: 'fragment' });
      await new Promise((resolve) => setTimeout(resolve, 1200));
      return sent;
    },
  },
  'a wrong UDP checksum': {
    code: 'PKT0409',
    reason: 'UDP_CSUM',
    at: 'server',
    provoke: (lab) => lab.craft({ kind: 'udp-checksum' }),
  },
  'a wrong TCP checksum': {
    code: 'PKT0409',
    reason: 'TCP_CSUM',
    at: 'server',
    provoke: (lab) => lab.craft({ kind: 'tcp-checksum' }),
  },
  'a wrong IP checksum': {
    code: 'PKT0409',
    reason: 'IP_CSUM',
    at: 'router',
    provoke: (lab) => lab.craft({ kind: 'ip-checksum' }),
  },
  'a closed UDP port': { code: 'PKT0704', reason: 'NO_SOCKET', at: 'server', provoke: (lab) => lab.craft() },
  'a closed UDP port, IPv6': {
    code: 'PKT0704',
    reason: 'NO_SOCKET',
    at: 'server',
    provoke: (lab) => lab.craft({ to: lab.at.server.v6 }),
  },
  'a closed TCP port': {
    code: 'PKT0704',
    reason: 'NO_SOCKET',
    at: 'server',
    provoke: (lab) => lab.craft({ kind: 'tcp' }),
  },
  'nftables drops on the way in': {
    code: 'PKT0704',
    reason: 'NETFILTER_DROP',
    at: 'server',
    provoke: (lab) => {
      lab.server.nft(NFT('input', 'udp dport 9000 drop;'));
      return lab.craft();
    },
  },
  'nftables rejects': {
    code: 'PKT0704',
    reason: 'NETFILTER_DROP',
    at: 'server',
    provoke: (lab) => {
      lab.server.nft(NFT('input', 'udp dport 9000 reject;'));
      return lab.craft();
    },
  },
  'the policy of the forward chain drops': {
    code: 'PKT0704',
    reason: 'NETFILTER_DROP',
    at: 'router',
    provoke: (lab) => {
      lab.router.nft(NFT('forward', 'policy drop;'));
      return lab.craft();
    },
  },
  'nftables drops at the ingress of a device': {
    code: 'PKT0704',
    reason: 'NETFILTER_DROP',
    at: 'server',
    provoke: (lab) => {
      const { device } = lab.at.server;
      lab.server.nft(
        `table netdev t { chain c { type filter hook ingress device ${device} priority 0; udp dport 9000 drop; }; }`,
      );
      return lab.craft();
    },
  },
  'another MAC address': {
    code: 'PKT0704',
    reason: 'OTHERHOST',
    at: 'router',
    provoke: (lab) => lab.craft({ mac: '02:11:22:33:44:55' }),
  },
  'an Ethernet type nobody takes': {
    code: 'PKT0704',
    reason: 'UNHANDLED_PROTO',
    at: 'router',
    provoke: (lab) => lab.craft({ kind: 'ethertype' }),
  },
  'an IP protocol nobody takes': {
    code: 'PKT0704',
    reason: 'IP_NOPROTO',
    at: 'server',
    provoke: (lab) => lab.craft({ kind: 'protocol' }),
  },
  'tbf on a router': {
    code: 'PKT0503',
    reason: 'QDISC_DROP',
    at: 'router',
    provoke: (lab) => {
      lab.router.run(...`tc qdisc add dev ${lab.at.outer.device} root tbf rate 100kbit burst 2k limit 3k`.split(' '));
      return lab.craft();
    },
  },
  'htb with pfifo on a router': {
    code: 'PKT0503',
    reason: 'QDISC_DROP',
    at: 'router',
    provoke: (lab) => {
      const { device } = lab.at.outer;
      lab.router.run(...`tc qdisc add dev ${device} root handle 1: htb default 1`.split(' '));
      lab.router.run(...`tc class add dev ${device} parent 1: classid 1:1 htb rate 100kbit`.split(' '));
      lab.router.run(...`tc qdisc add dev ${device} parent 1:1 pfifo limit 5`.split(' '));
      return lab.craft();
    },
  },
  'tbf on the host that sends': {
    code: 'PKT0503',
    reason: 'QDISC_DROP',
    at: 'client',
    provoke: (lab) => {
      lab.client.run(...`tc qdisc add dev ${lab.at.client.device} root tbf rate 100kbit burst 2k limit 3k`.split(' '));
      return lab.client.make('udp-send', { address: lab.at.server.v4, port: 9000, rate: 1000 });
    },
  },
  'a socket whose buffer is full': {
    code: 'PKT0405',
    reason: 'SOCKET_RCVBUFF',
    at: 'server',
    provoke: async (lab) => {
      await lab.server.make('udp-receive', { port: 9000, rcvbuf: 4096, 'delay-us': 2000 });
      return lab.craft({ rate: 4000 });
    },
  },
};

describe('losses', () => {
  const reason = whyNot({ needs: ['nft', 'tc'] });
  provoked(rows, reason ?? false);

  for (const at of ['client', 'router', 'server'] as const) {
    it(
      `none of them where all datagrams arrive, seen from the ${at}`,
      { timeout: 240_000, skip: reason ?? false },
      async () => {
        await withHosts(async (kit) => {
          const lab = new Lab(kit);
          await lab.server.make('udp-receive', { port: 9000, rcvbuf: 16 << 20 });
          await lab.client.make('udp-send', { address: lab.at.server.v4, port: 9000, rate: 1000 });
          const { report } = await lab[at].diagnose('--window', '1s');
          const codes = [...new Set(Object.values(rows).map(({ code }) => code))];
          const loud = codes.filter((code) => ['critical', 'warning'].includes(said(report, code)?.outcome ?? ''));
          assert.deepEqual(loud, [], JSON.stringify(ofHere(report)));
          const lost = ofHere(report).filter(({ kind, packets }) => kind === 'loss' && packets > 10);
          assert.deepEqual(lost, []);
        });
      },
    );
  }

  it(
    'balances the books of a router, and of the server behind it, within 1 %',
    { timeout: 240_000, skip: reason ?? false },
    async () => {
      await withHosts(async (kit) => {
        const lab = new Lab(kit);
        lab.router.sysctl({ 'net.ipv4.conf.all.rp_filter': 1 });
        await lab.server.make('udp-receive', { port: 9000, rcvbuf: 16 << 20 });
        await lab.craft({ from: '198.51.100.9', rate: 2000 });
        await lab.client.make('udp-send', { address: lab.at.server.v4, port: 9000, rate: 3000 });
        const { report } = await lab.router.diagnose('--window', '2s', '--netns', 'all');
        const bookOf = (name: string) => {
          const book = report.ledger?.books.find(({ netns }) => netns === name);
          assert.ok(book !== undefined, `no book of ${name}`);
          assert.ok(Math.abs(book.notAccounted) <= book.framesIn * 0.01, JSON.stringify(book));
          return book;
        };
        const router = bookOf('');
        assert.ok(router.lost > 1000 && router.forwarded > 2000, JSON.stringify(router));
        const server = bookOf(lab.server.netns);
        assert.ok(server.delivered > 2000, JSON.stringify(server));
      });
    },
  );

  it(
    'balances the books of a router that drops while it forwards, which newer kernels count as forwarded first',
    { timeout: 240_000, skip: reason ?? false },
    async () => {
      await withHosts(async (kit) => {
        const lab = new Lab(kit);
        lab.router.run('ip', 'link', 'set', lab.at.outer.device, 'mtu', '1300');
        for (const family of ['ip', 'ip6'])
          lab.router.nft(
            `table ${family} t { chain c { type filter hook forward priority 0; udp dport 9001 drop; }; }`,
          );
        await lab.server.make('udp-receive', { port: 9000, rcvbuf: 16 << 20 });
        await lab.craft({ port: 9001 });
        await lab.craft({ port: 9001, to: lab.at.server.v6 });
        await lab.craft({ kind: 'whole', size: 1400 });
        await lab.client.make('udp-send', { address: lab.at.server.v4, port: 9000, rate: 1000 });
        const { report } = await lab.router.diagnose('--window', '2s');
        const book = report.ledger?.books.find(({ netns }) => netns === '');
        assert.ok(book !== undefined, 'no book');
        const { framesIn, forwarded, lost, policy, notAccounted } = book;
        assert.ok(Math.abs(notAccounted) <= framesIn * 0.01, JSON.stringify(book));
        assert.ok(Math.min(forwarded, lost) > 1500 && policy > 3000, JSON.stringify(book));
      });
    },
  );
});
