import assert from 'node:assert/strict';
import { join } from 'node:path';

import type { Report, Tap } from '../../src/generated/report.ts';
import { pause, type Diagnosed, type End, type Host, type Kit } from './kit/hosts.ts';
import { finding, gigabitsOf, scenario } from './kit/scenario.ts';

interface Setting {
  readonly server: Host;
  readonly client: Host;
  readonly at: End;
  /** A second link that carries nothing. */
  readonly idle: End;
  readonly folder: string;
}

function busyAndIdleLink(kit: Kit): Setting {
  const [server, client] = [kit.host(), kit.host()];
  const [at] = kit.link(server, client);
  const [idle] = kit.link(server, client);
  return { server, client, at, idle, folder: kit.folder() };
}

const PORT = 9000;

/** 40,000 datagrams of 1,000 bytes a second to a reader that keeps up, for as long as the window lasts. */
async function busy({ server, client, at }: Setting): Promise<void> {
  await server.make('udp-receive', { port: PORT, rcvbuf: 64 << 20 });
  await client.make('udp-send', { address: at.v4, port: PORT, rate: 40_000, size: 1000 });
}

async function diagnosedUnderTraffic(setting: Setting): Promise<Diagnosed> {
  await busy(setting);
  return setting.server.diagnose();
}

function tapsOf(report: Report, comm: string): readonly Tap[] {
  const taps = report.taps.filter(({ owners }) => owners.some((owner) => owner.comm === comm));
  assert.ok(taps.length > 0, `no tap of ${comm} in ${JSON.stringify(report.taps)}`);
  return taps;
}

/** Blamed by its price when it was measured; else named, but as no more than a suspect. */
function named(report: Report, comm: string): Readonly<Record<string, number>> {
  const found = finding(report, 'PKT0101');
  assert.match(found.summary, new RegExp(comm), 'the owner is named');
  if (report.probe.status === 'attached') assert.equal(found.certainty, 'measured');
  else {
    assert.ok(found.certainty === 'correlated' || found.certainty === 'possible', found.summary);
    assert.ok(found.outcome === 'warning' || found.outcome === 'info', found.summary);
  }
  return priceOf(report);
}

/** What the taps of the busy device cost, where that was measured. */
function priceOf(report: Report): Readonly<Record<string, number>> {
  const { ns, share } = finding(report, 'PKT0101').args;
  return {
    ...(typeof ns === 'number' ? { 'ns per packet': Math.round(ns) } : {}),
    ...(typeof share === 'number' ? { share: Number(share.toFixed(2)) } : {}),
  };
}

function tcpdump(setting: Setting, device: string, ...rest: readonly string[]): Promise<unknown> {
  return setting.server.start(['tcpdump', '-i', device, '-Z', 'root', '-w', '/dev/null', ...rest], {
    ready: /listening on/,
  });
}

scenario({
  title: 'Taps that are paid for',
  codes: ['PKT0101'],
  needs: ['tcpdump', 'iperf3'],
  setUp: busyAndIdleLink,
  cases: {
    'three tcpdumps on a device that receives 40,000 datagrams a second': {
      priced: ['PKT0101'],
      provoke: async (setting) => {
        for (let each = 0; each < 3; each++) await tcpdump(setting, setting.at.device);
        return diagnosedUnderTraffic(setting);
      },
      check: (report, { at }) => {
        const price = named(report, 'tcpdump');
        const taps = tapsOf(report, 'tcpdump');
        assert.equal(taps.length, 3);
        for (const tap of taps) {
          assert.equal(tap.device, at.device);
          assert.equal(tap.hook, 'tpacket_rcv');
          assert.match(tap.ring ?? '', /^v3 /);
          assert.equal(tap.onHotPath, true);
        }
        return price;
      },
    },
    'a capture to a file while TCP runs at full rate: the file holds what was sent': {
      // At this rate the machine itself may be short of CPU.
      beside: ['PKT0101', 'PKT0102', 'PKT0502'],
      provoke: async ({ server, client, at, folder }) => {
        const file = join(folder, 'capture.pcap');
        const capture = await server.start(
          ['tcpdump', '-i', at.device, '-Z', 'root', '-U', '-s', '128', '-B', '8192', '-w', file, 'udp port 9001'],
          { ready: /listening on/ },
        );
        await server.start(['iperf3', '-s', '-1', '--forceflush'], { ready: /listening/ });
        const iperf = await client.start(['iperf3', '-c', at.v4, '-t', '25']);
        const sender = await client.make('udp-send', { address: at.v4, port: 9001, rate: 200 });
        const diagnosed = await server.diagnose();
        // Both outlast the window, however long the start took: they end when told to.
        const { sent } = JSON.parse((await sender.stop()).replace('ready\n', '')) as { sent: number };
        await iperf.stop();
        // A block of the ring is handed to tcpdump when it is full, or after a second.
        await pause(1500);
        await capture.stop();
        const packets = server.run('tcpdump', '-nn', '-r', file, 'udp dst port 9001').trim().split('\n').length;
        assert.ok(sent > 0);
        assert.equal(packets, sent, 'the capture holds every datagram sent');
        return diagnosed;
      },
      check: (report) => {
        const [tap] = tapsOf(report, 'tcpdump');
        assert.match(tap?.filter ?? '', /^classic \d+ instructions$/);
        const gigabits = gigabitsOf(report);
        assert.ok(gigabits > 0.5, `${gigabits} Gbit/s`);
        return { 'Gbit/s': gigabits.toFixed(2) };
      },
    },
    'a sniffer that reads with recv()': {
      priced: ['PKT0101'],
      provoke: async (setting) => {
        const { server, at } = setting;
        for (let each = 0; each < 2; each++) await server.make('packet-tap', { device: at.device });
        return diagnosedUnderTraffic(setting);
      },
      check: (report) => {
        const price = named(report, 'packet-tap');
        const [tap] = tapsOf(report, 'packet-tap');
        assert.equal(tap?.hook, 'packet_rcv');
        assert.equal(tap.ring, 'none');
        return price;
      },
    },
    'two fanout groups of four rings each are two hooks': {
      priced: ['PKT0101'],
      provoke: async (setting) => {
        for (const group of [77, 78])
          await setting.server.make('packet-tap', { device: setting.at.device, fanout: 4, group, 'ring-blocks': 8 });
        return diagnosedUnderTraffic(setting);
      },
      check: (report) => {
        const price = named(report, 'packet-tap');
        const taps = tapsOf(report, 'packet-tap');
        assert.equal(taps.length, 8);
        for (const { hook, fanout } of taps) {
          assert.equal(hook, 'packet_rcv_fanout');
          assert.match(fanout ?? '', /^id 7[78] type hash$/);
        }
        return price;
      },
    },
    'tcpdump on any device, with a filter that matches': {
      priced: ['PKT0101'],
      provoke: async (setting) => {
        for (let each = 0; each < 3; each++) await tcpdump(setting, 'any', 'udp');
        return diagnosedUnderTraffic(setting);
      },
      check: (report) => {
        const price = named(report, 'tcpdump');
        const [tap] = tapsOf(report, 'tcpdump');
        assert.equal(tap?.device, 'any');
        return price;
      },
    },
  },
});

scenario({
  title: 'Packet sockets that cost nothing here',
  codes: ['PKT0101'],
  needs: ['tcpdump'],
  setUp: busyAndIdleLink,
  cases: {
    'a tap whose filter rejects everything': {
      provoke: async (setting) => {
        await setting.server.make('packet-tap', { device: setting.at.device, filter: 'reject' });
        return diagnosedUnderTraffic(setting);
      },
      check: (report) => {
        assert.equal(tapsOf(report, 'packet-tap')[0]?.onHotPath, true);
        return priceOf(report);
      },
    },
    'a tap on a device that is idle': {
      provoke: async (setting) => {
        await tcpdump(setting, setting.idle.device);
        return diagnosedUnderTraffic(setting);
      },
    },
    'sockets bound to one ethertype, as dhclient and lldpd have': {
      provoke: async (setting) => {
        const { server, at } = setting;
        await server.make('packet-tap', { device: at.device, protocol: 0x88cc });
        await server.make('packet-tap', { device: at.device, protocol: 0x0800, filter: 'reject' });
        await server.make('packet-tap', { protocol: 0x0806 });
        return diagnosedUnderTraffic(setting);
      },
      check: (report) => {
        // Only the one for IPv4 is met by what is sent here.
        for (const tap of tapsOf(report, 'packet-tap')) assert.equal(tap.onHotPath, tap.protocol === '0800');
        return undefined;
      },
    },
    'a socket of protocol 0, which only sends': {
      provoke: async (setting) => {
        await setting.server.make('packet-tap', { device: setting.at.device, protocol: 0 });
        return diagnosedUnderTraffic(setting);
      },
      check: (report) => {
        const [tap] = tapsOf(report, 'packet-tap');
        assert.equal(tap?.hook, 'none');
        assert.equal(tap.onHotPath, false);
        return undefined;
      },
    },
    'a tap in another namespace': {
      provoke: async (setting) => {
        await setting.client.make('packet-tap', { 'ring-blocks': 8 });
        return diagnosedUnderTraffic(setting);
      },
      check: (report) => {
        assert.deepEqual(report.taps, []);
        return undefined;
      },
    },
    'the same tap, its namespace asked for: it is listed there, with its owner': {
      // There it sees what the namespace sends, which may well be worth saying.
      beside: ['PKT0101'],
      provoke: async (setting) => {
        await setting.client.make('packet-tap', { 'ring-blocks': 8 });
        await busy(setting);
        return setting.server.diagnose('--netns', setting.client.netns);
      },
      check: (report, { client }) => {
        const taps = tapsOf(report, 'packet-tap');
        assert.deepEqual(
          taps.map(({ netns }) => netns),
          [client.netns],
        );
        return undefined;
      },
    },
    'no tap at all': { provoke: diagnosedUnderTraffic },
  },
});

scenario({
  title: 'A packet that passes many taps',
  codes: ['PKT0104'],
  setUp: busyAndIdleLink,
  cases: {
    // Sixteen rings took 3 to 6 us, too near the limit of 5 us for a fast host to decide.
    'sixty-four rings, 10,000 datagrams a second': {
      priced: ['PKT0104', 'PKT0101'],
      beside: ['PKT0101'],
      provoke: async ({ server, client, at }) => {
        for (let each = 0; each < 64; each++) await server.make('packet-tap', { device: at.device, 'ring-blocks': 4 });
        await server.make('udp-receive', { port: PORT, rcvbuf: 64 << 20 });
        await client.make('udp-send', { address: at.v4, port: PORT, rate: 10_000, size: 1400 });
        return server.diagnose();
      },
    },
    'the same traffic without': {
      provoke: async ({ server, client, at }) => {
        await server.make('udp-receive', { port: PORT, rcvbuf: 64 << 20 });
        await client.make('udp-send', { address: at.v4, port: PORT, rate: 10_000, size: 1400 });
        return server.diagnose();
      },
    },
  },
});

async function daemon(setting: Setting, options: Readonly<Record<string, number | string>>): Promise<Diagnosed> {
  const { server, client, at } = setting;
  await server.make('packet-tap', { device: at.device, name: 'lldpd', ...options });
  await server.make('udp-receive', { port: PORT, rcvbuf: 64 << 20 });
  await client.make('udp-send', { address: at.v4, port: PORT, rate: 5000 });
  return server.diagnose();
}

scenario({
  title: 'A daemon that takes more than it needs',
  codes: ['PKT0105'],
  setUp: busyAndIdleLink,
  cases: {
    'lldpd with a socket for every protocol and no filter': {
      fires: ['PKT0105'],
      // Each packet wakes the daemon up, which may cost it dearly.
      beside: ['PKT0101', 'PKT0104'],
      provoke: (setting) => daemon(setting, {}),
      check: (report) => {
        assert.match(finding(report, 'PKT0105').summary, /lldpd.*0x88cc/);
        return undefined;
      },
    },
    'the same daemon, its filter lets only its protocol pass': {
      provoke: (setting) => daemon(setting, { filter: 'reject' }),
    },
    'the same daemon, bound to its ethertype': { provoke: (setting) => daemon(setting, { protocol: 0x88cc }) },
  },
});
