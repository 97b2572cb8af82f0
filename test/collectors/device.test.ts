import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { refusal } from '../../src/base/errno.ts';
import { device } from '../../src/collectors/device.ts';
import {
  carrierChanges,
  deviceCarrier,
  deviceFlags,
  deviceInfo,
  deviceLower,
  deviceNumaNode,
  deviceRps,
  deviceSpeed,
  deviceThreaded,
  deviceUp,
  receiveMissed,
} from '../../src/metrics/catalogue/index.ts';
import type { Result } from '../../src/base/result.ts';
import { collect, valueOf, valuesOf } from '../support/reader.ts';

type Files = Record<string, string | Result<never>>;

function sysfs(name: string, attributes: Files, link?: string): Files {
  const files: Files = link === undefined ? {} : { [`/sys/class/net/${name}`]: `-> ${link}` };
  for (const [attribute, content] of Object.entries(attributes)) files[`/sys/class/net/${name}/${attribute}`] = content;
  return files;
}

const ethernet = {
  operstate: 'up\n',
  carrier: '1\n',
  carrier_changes: '2\n',
  carrier_up_count: '3\n',
  carrier_down_count: '4\n',
  mtu: '1500\n',
  flags: '0x1003\n',
  tx_queue_len: '1000\n',
  threaded: '0\n',
  'statistics/rx_missed_errors': '7\n',
  'statistics/rx_nohandler': '0\n',
  'queues/rx-0/rps_cpus': '00000000,0000000f\n',
  'queues/rx-1/rps_cpus': '0\n',
  'queues/tx-0/xps_cpus': '1\n',
};

const virtio = sysfs(
  'eth0',
  {
    ...ethernet,
    speed: '-1\n',
    uevent: 'INTERFACE=eth0\nIFINDEX=4\n',
    device: '-> ../../../virtio2',
    'device/driver': '-> ../../../../bus/virtio/drivers/virtio_net',
    master: '-> ../../../../../virtual/net/br0',
  },
  '../../devices/pci0000:00/0000:00:03.0/virtio2/net/eth0',
);

describe('device collector', () => {
  it('describes a virtio NIC: driver, PCI address, upper device, and the NUMA node of its PCI parent', () => {
    const snapshot = collect(device, {
      files: { ...virtio, '/sys/devices/pci0000:00/0000:00:03.0/numa_node': '1\n' },
    });
    assert.deepEqual(snapshot.series(deviceInfo)[0]?.labels, {
      device: 'eth0',
      ifindex: '4',
      driver: 'virtio_net',
      kind: 'physical',
      pci: '0000:00:03.0',
      master: 'br0',
    });
    assert.deepEqual(valuesOf(snapshot, deviceNumaNode), { 'device=eth0': 1 });
    assert.equal(valueOf(snapshot, deviceSpeed, { device: 'eth0' }), undefined, 'an unknown speed is absent');
    assert.equal(valueOf(snapshot, deviceFlags, { device: 'eth0' }), 0x1003);
    assert.equal(valueOf(snapshot, deviceThreaded, { device: 'eth0' }), 0);
    assert.equal(valueOf(snapshot, receiveMissed, { device: 'eth0' }), 7);
    assert.equal(valueOf(snapshot, carrierChanges, { device: 'eth0' }), 7);
    assert.deepEqual(valuesOf(snapshot, deviceRps), { 'cpus=0-3,device=eth0,queue=0': 1 });
    assert.equal(snapshot.collector('device')?.status, 'ok');
  });

  it('keeps "the firmware did not say" apart from node 0', () => {
    const snapshot = collect(device, {
      files: { ...virtio, '/sys/devices/pci0000:00/0000:00:03.0/numa_node': '-1\n' },
    });
    assert.deepEqual(valuesOf(snapshot, deviceNumaNode), { 'device=eth0': -1 });
  });

  it('tells the kinds of virtual devices apart', () => {
    const kinds: Record<string, Files> = {
      lo: { flags: '0x9\n', ifindex: '1\n' },
      br0: { flags: '0x1003\n', uevent: 'DEVTYPE=bridge\nINTERFACE=br0\nIFINDEX=9\n', 'bridge/stp_state': '0\n' },
      bond0: { flags: '0x1403\n', ifindex: '10\n', 'bonding/slaves': 'eth0\n', lower_eth0: '-> ../eth0' },
      'eth0.5': { flags: '0x1003\n', uevent: 'DEVTYPE=vlan\nIFINDEX=11\n', lower_eth0: '-> ../eth0', iflink: '4\n' },
      tun0: { flags: '0x1091\n', uevent: 'IFINDEX=12\n', tun_flags: '0x1\n' },
      veth1a: { flags: '0x1003\n', uevent: 'IFINDEX=13\n', iflink: '13\n', type: '1\n' },
      cali7: { flags: '0x1003\n', uevent: 'IFINDEX=14\n', iflink: '2\n', type: '1\n' },
      dummy0: { flags: '0xc3\n', uevent: 'IFINDEX=15\n', iflink: '15\n', type: '1\n' },
      sit0: { flags: '0x80\n', uevent: 'IFINDEX=16\n', iflink: '0\n', type: '776\n' },
    };
    const files = Object.fromEntries(
      Object.entries(kinds).flatMap(([name, attributes]) => Object.entries(sysfs(name, attributes))),
    );
    const snapshot = collect(device, { files: { ...files, '/sys/class/net/bonding_masters': 'bond0\n' } });
    const found = snapshot.series(deviceInfo).map(({ labels }) => [labels['device'], labels['kind']]);
    assert.deepEqual(Object.fromEntries(found), {
      lo: 'loopback',
      br0: 'bridge',
      bond0: 'bond',
      'eth0.5': 'vlan',
      tun0: 'tun',
      veth1a: 'veth',
      cali7: 'veth',
      dummy0: 'virtual',
      sit0: 'virtual',
    });
    assert.deepEqual(Object.keys(valuesOf(snapshot, deviceLower)), [
      'device=bond0,lower=eth0',
      'device=eth0.5,lower=eth0',
    ]);
    assert.equal(snapshot.series(deviceNumaNode).length, 0);
    assert.equal(snapshot.collector('device')?.status, 'ok');
  });

  it('takes a link that is down as it is: no carrier, no speed, no gap', () => {
    const einval = refusal('EINVAL');
    const down = { ...ethernet, flags: '0x1002\n', operstate: 'down\n', carrier: einval, speed: einval };
    const snapshot = collect(device, { files: sysfs('eth1', { ...down, ifindex: '3\n', device: '-> ../x' }) });
    assert.equal(valueOf(snapshot, deviceUp, { device: 'eth1' }), 0);
    assert.equal(valueOf(snapshot, deviceCarrier, { device: 'eth1' }), undefined);
    assert.equal(snapshot.collector('device')?.status, 'ok');
    const racing = collect(device, {
      files: sysfs('eth1', { ...down, flags: '0x1003\n', ifindex: '3\n', device: '-> ../x' }),
    });
    assert.equal(valueOf(racing, deviceSpeed, { device: 'eth1' }), undefined);
    assert.equal(racing.collector('device')?.status, 'ok');
  });

  it('tells the carrier from operstate, and asks only where that does not say', () => {
    for (const [operstate, carrier, expected] of [
      ['up', '0', 1],
      ['lowerlayerdown', '1', 0],
      ['unknown', '1', 1],
    ] as const) {
      const files = sysfs('tun0', { flags: '0x1003\n', ifindex: '2\n', operstate: `${operstate}\n`, carrier });
      assert.equal(valueOf(collect(device, { files }), deviceCarrier, { device: 'tun0' }), expected, operstate);
    }
  });

  it('leaves an older kernel without the counts of ups and downs its carrier_changes', () => {
    const snapshot = collect(device, {
      files: sysfs('eth0', { flags: '0x1003\n', ifindex: '2\n', carrier_changes: '5\n' }),
    });
    assert.equal(valueOf(snapshot, carrierChanges, { device: 'eth0' }), 5);
  });

  it('names the file that could not be read', () => {
    const snapshot = collect(device, {
      files: sysfs('eth0', { ...ethernet, mtu: refusal('EIO'), ifindex: '2\n' }),
    });
    const report = snapshot.collector('device');
    assert.equal(report?.status, 'partial');
    assert.deepEqual(report.gaps, [
      { path: '/sys/class/net/eth0/mtu', reason: 'input/output error (EIO)', errno: 'EIO' },
    ]);
  });
});
