/** Taps on what a host sends: named with their price by every way out of it, and quiet where there is none. */
import assert from 'node:assert/strict';

import type { Report } from '../../src/generated/report.ts';
import type { Diagnosed, End, Host, Kit } from './kit/hosts.ts';
import { finding, scenario } from './kit/scenario.ts';

interface Setting {
  readonly sender: Host;
  readonly receiver: Host;
  readonly at: End;
  readonly to: End;
}

function oneLink(kit: Kit): Setting {
  const [sender, receiver] = [kit.host(), kit.host()];
  const [at, to] = kit.link(sender, receiver);
  return { sender, receiver, at, to };
}

const PORT = 9000;

/** Datagrams without an answer, for as long as the window lasts. */
async function busy({ sender, receiver, to }: Setting): Promise<void> {
  await receiver.make('udp-receive', { port: PORT, rcvbuf: 64 << 20 });
  await sender.make('udp-send', { address: to.v4, port: PORT, rate: 60_000, size: 200 });
}

async function captured(setting: Setting, captures: number, ...flags: readonly string[]): Promise<Diagnosed> {
  for (let each = 0; each < captures; each++)
    await setting.sender.start(['tcpdump', '-i', setting.at.device, '-Z', 'root', '-w', '/dev/null'], {
      ready: /listening on/,
    });
  await busy(setting);
  return setting.sender.diagnose(...flags);
}

/** Named with its price, whatever else this machine is busy with. */
function priced(report: Report, { at }: Setting): Readonly<Record<string, number>> {
  const found = finding(report, 'PKT0101');
  assert.match(found.summary, /tcpdump \(pid \d+\)/, 'the owner is named');
  if (report.probe.status !== 'attached') return {};
  assert.equal(found.certainty, 'measured', found.summary);
  assert.match(found.summary, /sent/, found.summary);
  const [tap] = report.taps.filter(({ owners }) => owners.some(({ comm }) => comm === 'tcpdump'));
  const [price] = tap?.sentPrices ?? [];
  assert.equal(price?.device, at.device);
  assert.ok(price.nsPerPacket > 50, `${price.nsPerPacket} ns`);
  const bill = tap?.bill;
  assert.ok((bill?.transmitCpu ?? 0) > 0 && (bill?.ringBytes ?? 0) > 0, JSON.stringify(bill));
  assert.ok(bill?.readerUserCpu !== null && bill?.readerSystemCpu !== null, 'its process was seen');
  return { 'ns per sent packet': Math.round(price.nsPerPacket) };
}

/** Whether it is a warning hangs on what else sending takes, of which a busy machine's profile has few samples. */
const pricedBy = { beside: ['PKT0101'], check: priced } as const;

function queued(setting: Setting, ...qdisc: readonly string[]): Setting {
  setting.sender.run('tc', 'qdisc', 'replace', 'dev', setting.at.device, 'root', ...qdisc);
  return setting;
}

scenario({
  title: 'Taps that senders pay for',
  codes: ['PKT0101'],
  needs: ['tcpdump', 'tc', 'iperf3', 'ethtool'],
  setUp: oneLink,
  cases: {
    'three tcpdumps on a device that sends 60,000 datagrams a second': {
      ...pricedBy,
      provoke: (setting) => captured(setting, 3),
    },
    'the same behind a queue that may be bypassed (pfifo_fast)': {
      ...pricedBy,
      provoke: (setting) => captured(queued(setting, 'pfifo_fast'), 3),
    },
    'the same behind a queue that never is (tbf, as fq)': {
      ...pricedBy,
      provoke: (setting) => captured(queued(setting, 'tbf', 'rate', '10gbit', 'burst', '1m', 'latency', '50ms'), 3),
    },
    'TCP that the kernel cuts into segments': {
      // At this rate the machine itself may be short of CPU.
      beside: ['PKT0101', 'PKT0102'],
      check: priced,
      provoke: async ({ sender, receiver, at, to }) => {
        sender.run('ethtool', '-K', at.device, 'tso', 'off');
        for (let each = 0; each < 2; each++)
          await sender.start(['tcpdump', '-i', at.device, '-Z', 'root', '-w', '/dev/null'], { ready: /listening on/ });
        await receiver.start(['iperf3', '-s', '-1', '--forceflush'], { ready: /listening/ });
        await sender.start(['iperf3', '-c', to.v4, '-t', '25', '-b', '1G']);
        return sender.diagnose();
      },
    },
    'a capture that begins in the window': {
      beside: ['PKT0101'],
      check: priced,
      provoke: async (setting) => {
        const { sender, at } = setting;
        await busy(setting);
        const diagnosed = sender.diagnose('--window', '4s');
        await sender.start(['sh', '-c', `sleep 1; exec tcpdump -i ${at.device} -Z root -w /dev/null`], {
          ready: /listening on/,
        });
        return diagnosed;
      },
    },
  },
});

scenario({
  title: 'Senders without a tap',
  codes: ['PKT0101'],
  needs: ['tcpdump', 'tc'],
  setUp: oneLink,
  cases: {
    'no tap at all': {
      provoke: (setting) => captured(setting, 0),
      check: (report) => {
        assert.ok(!report.probe.plan.some(({ span }) => span === 'transmit'), 'nobody pays for what has no price');
        return undefined;
      },
    },
    'no tap, behind a queue': { provoke: (setting) => captured(queued(setting, 'pfifo_fast'), 0) },
    'a tap at the other end': {
      provoke: async (setting) => {
        const { receiver, to } = setting;
        await receiver.start(['tcpdump', '-i', to.device, '-Z', 'root', '-w', '/dev/null'], { ready: /listening on/ });
        return captured(setting, 0);
      },
    },
    'a socket for one protocol, which no sent packet meets': {
      provoke: async (setting) => {
        await setting.sender.make('packet-tap', { device: setting.at.device, protocol: 0x0800 });
        return captured(setting, 0);
      },
    },
  },
});

scenario({
  title: 'Taps on a device that passes another one’s packets on',
  codes: ['PKT0101'],
  needs: ['tcpdump'],
  setUp: (kit) => {
    const setting = oneLink(kit);
    const { sender, receiver, at, to } = setting;
    receiver.run('ip', 'link', 'add', 'mv0', 'link', to.device, 'type', 'macvlan', 'mode', 'bridge');
    receiver.run('ip', 'addr', 'add', '10.177.0.1/24', 'dev', 'mv0');
    receiver.run('ip', 'link', 'set', 'mv0', 'up');
    // Else the device below answers for it, and its packets never pass the macvlan.
    receiver.sysctl({ 'net.ipv4.conf.all.arp_ignore': 1 });
    sender.run('ip', 'addr', 'add', '10.177.0.2/24', 'dev', at.device);
    return setting;
  },
  cases: {
    'three tcpdumps on a macvlan': {
      beside: ['PKT0101', 'PKT0102'],
      provoke: async (setting) => {
        for (let each = 0; each < 3; each++)
          await setting.receiver.start(['tcpdump', '-i', 'mv0', '-Z', 'root', '-w', '/dev/null'], {
            ready: /listening on/,
          });
        return onMacvlan(setting);
      },
      check: (report) => {
        const found = finding(report, 'PKT0101');
        assert.match(found.summary, /tcpdump \(pid \d+\)/, 'named, by the profile where that has samples enough');
        assert.notEqual(found.message, 'idle', 'its packets passed the macvlan');
        return { message: found.message ?? '' };
      },
    },
    'the same traffic without a tap': { provoke: onMacvlan },
  },
});

async function onMacvlan({ sender, receiver }: Setting): Promise<Diagnosed> {
  await receiver.make('udp-receive', { port: PORT, rcvbuf: 64 << 20 });
  await sender.make('udp-send', { address: '10.177.0.1', port: PORT, rate: 40_000, size: 200 });
  return receiver.diagnose();
}
