import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

import type { Diagnosed, End, Host, Kit } from './kit/hosts.ts';
import { evidence, finding, scenario } from './kit/scenario.ts';

interface Setting {
  readonly server: Host;
  readonly client: Host;
  readonly at: End;
  /** Where the client is reached. */
  readonly back: End;
}

function serverAndClient(kit: Kit): Setting {
  const [server, client] = [kit.host(), kit.host()];
  const [at, back] = kit.link(server, client);
  return { server, client, at, back };
}

const TCP_PORT = 9100;
const UDP_PORT = 9000;

scenario({
  title: 'TCP receive buffers',
  codes: ['PKT0403', 'PKT0406'],
  setUp: serverAndClient,
  cases: {
    'SO_RCVBUF shrunk from 4 MB to 2 KB under live connections': {
      fires: ['PKT0403'],
      // The readers are slow by construction as well.
      beside: ['PKT0406'],
      provoke: async ({ server, client, at }) => {
        await server.make('tcp-read', {
          port: TCP_PORT,
          rcvbuf: 4 << 20,
          'shrink-to': 2048,
          'shrink-after-ms': 150,
          'close-after-ms': 500,
        });
        await client.make('tcp-send', { address: at.v4, port: TCP_PORT, connections: 16, rate: 400_000, write: 1000 });
        return server.diagnose();
      },
      check: (report) => {
        assert.equal(finding(report, 'PKT0403').certainty, 'measured');
        return undefined;
      },
    },
    'a reader ten times slower than its sender: the window closes, nothing is lost': {
      fires: ['PKT0406'],
      provoke: async ({ server, client, at }) => {
        await server.make('tcp-read', { port: TCP_PORT, rate: 2_000_000 });
        await client.make('tcp-send', { address: at.v4, port: TCP_PORT, connections: 32 });
        return server.diagnose();
      },
    },
    'a proxy whose own client takes 200 KB a second of each connection': {
      provoke: async ({ server, client, at, back }) => {
        await client.make('tcp-read', { port: TCP_PORT + 1, rate: 200_000, rcvbuf: 65536 });
        await server.make('tcp-proxy', { port: TCP_PORT, to: back.v4, 'to-port': TCP_PORT + 1 });
        await client.make('tcp-send', { address: at.v4, port: TCP_PORT, connections: 24 });
        return server.diagnose();
      },
      check: (report) => {
        const found = finding(report, 'PKT0406');
        if (found.outcome !== 'ok') assert.equal(found.message, 'proxy', found.summary);
        return { outcome: found.outcome };
      },
    },
    'a reader that keeps up': {
      provoke: async ({ server, client, at }) => {
        await server.make('tcp-read', { port: TCP_PORT, rate: 50_000_000 });
        await client.make('tcp-send', { address: at.v4, port: TCP_PORT, connections: 4, rate: 2_000_000 });
        return server.diagnose();
      },
    },
  },
});

async function floodUdp(
  { server, client }: Setting,
  address: string,
  receiver: Readonly<Record<string, number | string>>,
  rate: number,
): Promise<Diagnosed> {
  await server.make('udp-receive', { port: UDP_PORT, ...receiver });
  await client.make('udp-send', { address, port: UDP_PORT, rate, size: 200 });
  return server.diagnose();
}

scenario({
  title: 'UDP buffers',
  codes: ['PKT0405'],
  needs: ['tc'],
  setUp: serverAndClient,
  cases: {
    '20,000 datagrams a second into a buffer of 8 KB whose reader takes 500 us for each': {
      fires: ['PKT0405'],
      provoke: (setting) => floodUdp(setting, setting.at.v4, { rcvbuf: 8192, 'delay-us': 500 }, 20_000),
      check: (report) => {
        const found = finding(report, 'PKT0405');
        assert.equal(found.outcome, 'critical');
        const told = JSON.stringify([found.args, found.evidence, found.remedies]);
        assert.match(told, /9000/, 'the socket is named by its port');
        assert.match(told, /udp-receive/, 'and by its process');
        return { lost: evidence(found, 'node_netstat_Udp_RcvbufErrors') };
      },
    },
    'the same over IPv6': {
      fires: ['PKT0405'],
      provoke: (setting) => floodUdp(setting, setting.at.v6, { address: '::', rcvbuf: 8192, 'delay-us': 500 }, 20_000),
      check: (report) => {
        const found = finding(report, 'PKT0405');
        const told = JSON.stringify([found.args, found.evidence, found.remedies]);
        assert.match(told, /9000/, 'the socket is named by its port');
        assert.match(told, /udp-receive/, 'and by its process');
        return { lost: evidence(found, 'node_netstat_Udp6_RcvbufErrors') };
      },
    },
    'the same datagrams, a buffer of 64 MB and a reader that keeps up': {
      provoke: (setting) => floodUdp(setting, setting.at.v4, { rcvbuf: 64 << 20 }, 20_000),
    },
    'a sender that its own queueing discipline holds back': {
      fires: ['PKT0405', 'PKT0503'],
      provoke: async ({ server, client, at }) => {
        await server.make('udp-receive', { port: UDP_PORT, rcvbuf: 1 << 20 });
        client.run(...'tc qdisc add dev veth0 root tbf rate 1mbit burst 4kb limit 8kb'.split(' '));
        await client.make('udp-send', { address: at.v4, port: UDP_PORT, rate: 5000, size: 200 });
        return client.diagnose();
      },
      check: (report) => ({ failed: evidence(finding(report, 'PKT0405'), 'node_netstat_Udp_SndbufErrors') }),
    },
    'a sender that waits for no room before a queue that drops nothing still has its datagrams': {
      provoke: async ({ server, client, at }) => {
        await server.make('udp-receive', { port: UDP_PORT, rcvbuf: 1 << 20 });
        client.run(...'tc qdisc add dev veth0 root tbf rate 1mbit burst 4kb limit 10mb'.split(' '));
        await client.make('udp-send', {
          address: at.v4,
          port: UDP_PORT,
          rate: 5000,
          size: 200,
          wait: 0,
          sndbuf: 16384,
        });
        return client.diagnose();
      },
      check: (report) => {
        const found = finding(report, 'PKT0405');
        assert.equal(found.message, 'refused', found.summary);
        return { refused: evidence(found, 'node_netstat_Udp_SndbufErrors') };
      },
    },
    'a peer with a smaller MTU takes nothing of it': {
      fires: ['PKT0405', 'PKT0504'],
      provoke: async ({ server, client, at }) => {
        server.run(...'ip link set veth0 mtu 1000'.split(' '));
        await client.make('udp-send', { address: at.v4, port: UDP_PORT, rate: 2000, size: 1200 });
        return client.diagnose();
      },
      check: (report) => {
        const found = finding(report, 'PKT0405');
        assert.equal(found.message, 'unsent-device', found.summary);
        assert.equal(found.args['device'], 'veth0');
        return undefined;
      },
    },
    'a socket that rejects all by its filter beside one that overflows: the latter is named': {
      fires: ['PKT0405'],
      provoke: async ({ server, client, at }) => {
        await server.make('udp-receive', { port: 9300, reject: 1 });
        await client.make('udp-send', { address: at.v4, port: 9300, rate: 10_000 });
        await server.make('udp-receive', { port: UDP_PORT, rcvbuf: 8192, 'delay-us': 500 });
        await client.make('udp-send', { address: at.v4, port: UDP_PORT, rate: 5_000, size: 200 });
        return server.diagnose();
      },
      check: (report) => {
        const found = finding(report, 'PKT0405');
        assert.match(String(found.args['socket']), /:9000$/, found.summary);
        return { lost: evidence(found, 'node_netstat_Udp_RcvbufErrors') };
      },
    },
    'a socket that rejects all by its filter': {
      provoke: async ({ server, client, at }) => {
        await server.make('udp-receive', { port: UDP_PORT, reject: 1 });
        await client.make('udp-send', { address: at.v4, port: UDP_PORT, rate: 10_000 });
        return server.diagnose();
      },
    },
    'datagrams to a port nobody listens on are no buffer problem': {
      provoke: async ({ server, client, at }) => {
        await client.make('udp-send', { address: at.v4, port: UDP_PORT, rate: 5000 });
        return server.diagnose();
      },
    },
  },
});

const tcpMem = '/proc/sys/net/ipv4/tcp_mem';

function pagesInUse(): number {
  return Number(/^TCP: .* mem (\d+)/m.exec(readFileSync('/proc/net/sockstat', 'utf8'))?.[1]);
}

/** Connections whose readers do not read: their queues hold some tens of megabytes. */
async function fillQueues({ server, client, at }: Setting): Promise<void> {
  await server.make('tcp-read', { port: TCP_PORT, rcvbuf: 2 << 20 });
  await client.make('tcp-send', { address: at.v4, port: TCP_PORT, connections: 16 });
  const start = Date.now();
  while (pagesInUse() < 3000 && Date.now() - start < 5000) await new Promise((resolve) => setTimeout(resolve, 50));
}

scenario({
  title: 'TCP memory',
  codes: ['PKT0404'],
  hostWide: 'net.ipv4.tcp_mem',
  // tcp_mem can be read in the initial namespace only.
  ofMachine: true,
  setUp: serverAndClient,
  cases: {
    'queues that hold more than tcp_mem[1]': {
      fires: ['PKT0404'],
      beside: ['PKT0403', 'PKT0406'],
      provoke: async (setting, kit) => {
        await fillQueues(setting);
        const max = readFileSync(tcpMem, 'utf8').trim().split(/\s+/)[2] ?? '';
        // Pressure begins far below what is held; the hard limit stays, so that no other connection of the host fails.
        await kit.hostSetting(tcpMem, `${pagesInUse() >> 2} ${pagesInUse() >> 1} ${max}`);
        return kit.itself().diagnose();
      },
    },
    'the same queues under the host as it was': {
      provoke: async (setting, kit) => {
        await fillQueues(setting);
        return kit.itself().diagnose();
      },
    },
  },
});
