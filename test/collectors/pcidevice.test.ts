import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { refusal } from '../../src/base/errno.ts';
import { pcidevice } from '../../src/collectors/pcidevice.ts';
import { parseLinkSpeed, possible } from '../../src/collectors/pcie.ts';
import {
  deviceLinkSpeed,
  deviceLinkSpeedPossible,
  deviceLinkWidth,
  deviceLinkWidthPossible,
  pciLinkSpeed,
  pciLinkWidth,
  pciMaxLinkWidth,
  pciNumaNode,
} from '../../src/metrics/catalogue/index.ts';
import { bytesOf } from '../support/fixture.ts';
import { collect, valuesOf, type FakeHost } from '../support/reader.ts';

type Files = NonNullable<FakeHost['files']>;

const port = (address: string, attributes: Record<string, string>): Files =>
  Object.fromEntries(
    Object.entries(attributes).map(([name, content]) => [`/sys/bus/pci/devices/${address}/${name}`, content]),
  );
const link = (width: number, maxWidth: number, speed: string, maxSpeed: string): Record<string, string> => ({
  current_link_width: `${width}\n`,
  max_link_width: `${maxWidth}\n`,
  current_link_speed: `${speed} GT/s PCIe\n`,
  max_link_speed: `${maxSpeed} GT/s PCIe\n`,
});
const nic = (name: string, path: string): Files => ({
  [`/sys/class/net/${name}`]: `-> ../../devices/${path}/net/${name}`,
  [`/sys/class/net/${name}/mtu`]: '1500\n',
});
const width = (files: Files): [Record<string, number>, Record<string, number>] => {
  const snapshot = collect(pcidevice, { files });
  return [valuesOf(snapshot, deviceLinkWidth), valuesOf(snapshot, deviceLinkWidthPossible)];
};

const rootPort = port('0000:40:01.3', { ...link(4, 8, '8.0', '16.0'), numa_node: '0\n' });
const card = port('0000:45:00.0', { ...link(4, 16, '8.0', '8.0'), numa_node: '1\n' });

describe('pcidevice collector', () => {
  it('compares a NIC with the smaller of its own maximum and the slot', () => {
    const files = { ...rootPort, ...card, ...nic('ens1', 'pci0000:40/0000:40:01.3/0000:45:00.0') };
    const snapshot = collect(pcidevice, { files });
    assert.deepEqual(valuesOf(snapshot, deviceLinkWidth), { 'device=ens1': 4 });
    assert.deepEqual(valuesOf(snapshot, deviceLinkWidthPossible), { 'device=ens1': 8 });
    assert.deepEqual(valuesOf(snapshot, deviceLinkSpeed), { 'device=ens1': 8e9 });
    assert.deepEqual(valuesOf(snapshot, deviceLinkSpeedPossible), { 'device=ens1': 8e9 });
    assert.equal(snapshot.collector('pcidevice')?.status, 'ok');
  });

  it('takes the narrowest port of a chain through a switch', () => {
    const files = {
      ...port('0000:40:01.0', link(4, 4, '8.0', '8.0')),
      ...port('0000:41:00.0', link(4, 16, '8.0', '8.0')),
      ...port('0000:42:00.0', link(8, 8, '8.0', '8.0')),
      ...card,
      ...nic('ens1', 'pci0000:40/0000:40:01.0/0000:41:00.0/0000:42:00.0/0000:45:00.0'),
    };
    assert.deepEqual(width(files)[1], { 'device=ens1': 4 });
  });

  it('follows a virtual function to its physical one', () => {
    const files = {
      ...rootPort,
      ...card,
      ...port('0000:45:02.0', {
        current_link_width: '0\n',
        max_link_width: '0\n',
        current_link_speed: 'Unknown\n',
        max_link_speed: 'Unknown\n',
        physfn: '-> ../0000:45:00.0',
      }),
      ...nic('vf0', 'pci0000:40/0000:40:01.3/0000:45:02.0'),
    };
    assert.deepEqual(width(files), [{ 'device=vf0': 4 }, { 'device=vf0': 8 }]);
  });

  it('does not judge the slot of a NIC handed to a guest, unless it runs at its own maximum', () => {
    assert.deepEqual(width({ ...card, ...nic('eth0', 'pci0000:00/0000:45:00.0') }), [{ 'device=eth0': 4 }, {}]);
    const full = port('0000:45:00.0', link(8, 8, '8.0', '8.0'));
    assert.deepEqual(width({ ...full, ...nic('eth0', 'pci0000:00/0000:45:00.0') })[1], { 'device=eth0': 8 });
  });

  it('says nothing of virtio, whose link is 0 of 255 lanes, and of devices not on the bus', () => {
    const files = {
      ...port('0000:00:03.0', { current_link_width: '0\n', max_link_width: '255\n', current_link_speed: 'Unknown\n' }),
      ...nic('eth0', 'pci0000:00/0000:00:03.0/virtio2'),
      ...nic('lo', 'virtual'),
    };
    assert.deepEqual(width(files), [{}, {}]);
  });

  it('has -1 for a device without a link, as node_exporter has, but not for one that could not be read', () => {
    const files = {
      ...port('0000:00:1f.0', { numa_node: '-1\n' }),
      ...port('0000:45:00.0', { numa_node: '0\n', max_link_width: '16\n', current_link_speed: '8.0 GT/s PCIe\n' }),
      '/sys/bus/pci/devices/0000:45:00.0/current_link_width': refusal('EIO'),
    };
    const snapshot = collect(pcidevice, { files });
    const isa = 'bus=00,device=1f,function=0,segment=0000';
    const eth = 'bus=45,device=00,function=0,segment=0000';
    assert.deepEqual(valuesOf(snapshot, pciLinkWidth), { [isa]: -1 });
    assert.deepEqual(valuesOf(snapshot, pciMaxLinkWidth), { [isa]: -1, [eth]: 16 });
    assert.deepEqual(valuesOf(snapshot, pciLinkSpeed), { [isa]: -1, [eth]: 8e9 });
    assert.deepEqual(valuesOf(snapshot, pciNumaNode), { [eth]: 0 }, 'an unknown node is absent');
    assert.equal(snapshot.collector('pcidevice')?.status, 'partial');
  });

  it('reads every way the kernel writes a speed', () => {
    for (const [text, speed] of [
      ['2.5 GT/s PCIe\n', 2.5e9],
      ['64.0 GT/s PCIe\n', 64e9],
      ['8 GT/s\n', 8e9],
      ['Unknown\n', -1],
      ['Unknown speed\n', -1],
    ] as const) {
      assert.deepEqual(parseLinkSpeed(bytesOf(text)), { ok: true, value: speed });
    }
    assert.ok(!parseLinkSpeed(bytesOf('')).ok);
  });

  it('counts a link wider than a port far above as it is', () => {
    assert.equal(possible(8, 8, [4, 8]), 4);
    assert.equal(possible(undefined, 8, []), undefined);
  });

  it('is not applicable without a PCI bus', () => {
    assert.equal(collect(pcidevice, {}).collector('pcidevice')?.status, 'not-applicable');
  });
});
