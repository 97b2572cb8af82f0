import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { refusal } from '../../src/base/errno.ts';
import { countSlots, parseDmiTable } from '../../src/collectors/dmi.ts';
import { nodeconfig } from '../../src/collectors/nodeconfig.ts';
import {
  coresDedicated,
  cpuDedicated,
  memoryBanksFull,
  memorySlots,
  nicMinLinkWidth,
  pcieSlotOk,
  userspaceNic,
} from '../../src/metrics/catalogue/index.ts';
import { array, dmiTable as table, slot } from '../support/dmi.ts';
import { collect, valueOf, valuesOf } from '../support/reader.ts';

const cpu = '/sys/devices/system/cpu';
const dmi = '/sys/firmware/dmi/tables/DMI';

describe('nodeconfig collector', () => {
  it('counts the cores set apart by each of the three means', () => {
    const snapshot = collect(nodeconfig, {
      files: {
        [`${cpu}/isolated`]: '2-3\n',
        [`${cpu}/nohz_full`]: '3\n',
        // 6.12 repeats what isolcpus set apart.
        '/sys/fs/cgroup/cpuset.cpus.isolated': '2-3,7\n',
      },
    });
    assert.equal(valueOf(snapshot, coresDedicated), 1);
    assert.deepEqual(Object.keys(valuesOf(snapshot, cpuDedicated)), [
      'by=isolcpus,cpu=2',
      'by=isolcpus,cpu=3',
      'by=nohz_full,cpu=3',
      'by=cpuset,cpu=7',
    ]);
  });

  it('knows the ways kernels say none', () => {
    const snapshot = collect(nodeconfig, { files: { [`${cpu}/isolated`]: '\n', [`${cpu}/nohz_full`]: '  (null)\n' } });
    assert.equal(valueOf(snapshot, coresDedicated), 0);
    assert.equal(snapshot.series(cpuDedicated).length, 0);
    assert.equal(snapshot.collector('nodeconfig')?.status, 'ok');
  });

  const pci = (address: string, kind: string, width: number, max: number, under: string): Record<string, string> => ({
    [`/sys/bus/pci/devices/${address}`]: `-> ../../../devices/pci0000:00/${under}${address}`,
    [`/sys/bus/pci/devices/${address}/class`]: `${kind}\n`,
    [`/sys/bus/pci/devices/${address}/current_link_width`]: `${width}\n`,
    [`/sys/bus/pci/devices/${address}/max_link_width`]: `${max}\n`,
  });

  it('knows the NICs that were given away, and their node where the firmware said it', () => {
    const driver = (address: string, name: string, node: number): Record<string, string> => ({
      ...pci(address, '0x020000', 8, 8, ''),
      [`/sys/bus/pci/devices/${address}/driver`]: `-> ../../../../bus/pci/drivers/${name}`,
      [`/sys/bus/pci/devices/${address}/numa_node`]: `${node}\n`,
    });
    const snapshot = collect(nodeconfig, {
      files: {
        ...driver('0000:81:00.0', 'vfio-pci', 1),
        ...driver('0000:81:00.1', 'igb_uio', -1),
        ...driver('0000:03:00.0', 'ixgbe', 0),
      },
    });
    assert.deepEqual(Object.keys(valuesOf(snapshot, userspaceNic)), [
      'driver=vfio-pci,node=1,pci=0000:81:00.0',
      'driver=igb_uio,node=,pci=0000:81:00.1',
    ]);
  });

  it('finds an x8 card in an x8 slot fine, and the same card at x4 not', () => {
    const ports = pci('0000:00:01.0', '0x060400', 8, 16, '');
    for (const [width, fine] of [
      [8, 1],
      [4, 0],
    ] as const) {
      const snapshot = collect(nodeconfig, {
        files: {
          ...ports,
          ...pci('0000:01:00.0', '0x020000', width, 8, '0000:00:01.0/'),
          ...pci('0000:01:02.0', '0x020000', 0, 0, '0000:00:01.0/'),
          ...pci('0000:00:02.0', '0x030000', 1, 16, ''),
        },
      });
      assert.equal(valueOf(snapshot, nicMinLinkWidth), width);
      assert.equal(valueOf(snapshot, pcieSlotOk), fine);
    }
  });

  it('does not judge a slot it cannot see', () => {
    const snapshot = collect(nodeconfig, { files: pci('0000:00:05.0', '0x020000', 4, 8, '') });
    assert.equal(valueOf(snapshot, nicMinLinkWidth), 4);
    assert.equal(valueOf(snapshot, pcieSlotOk), undefined);
  });

  it('counts memory slots: populated, empty, and of unknown size', () => {
    const full = collect(nodeconfig, { files: { [dmi]: table(slot(16384), slot(0x7fff), slot(0x8400)) } });
    assert.deepEqual(valuesOf(full, memorySlots), { 'state=populated': 3, 'state=empty': 0, 'state=unknown': 0 });
    assert.equal(valueOf(full, memoryBanksFull), 1);
    const half = collect(nodeconfig, { files: { [dmi]: table(slot(16384), slot(0), slot(0xffff)) } });
    assert.deepEqual(valuesOf(half, memorySlots), { 'state=populated': 1, 'state=empty': 1, 'state=unknown': 1 });
    assert.equal(valueOf(half, memoryBanksFull), 0);
    const unknown = collect(nodeconfig, { files: { [dmi]: table(slot(16384), slot(0xffff)) } });
    assert.equal(valueOf(unknown, memoryBanksFull), undefined);
  });

  it('does not take the firmware flash for a memory slot', () => {
    const snapshot = collect(nodeconfig, {
      files: { [dmi]: table(array(0x2000, 5), slot(16384), slot(0, 0x2000)) },
    });
    assert.equal(valueOf(snapshot, memoryBanksFull), 1);
  });

  it('falls back to the entries where there is no table', () => {
    const snapshot = collect(nodeconfig, {
      files: {
        [`${cpu}/isolated`]: '\n',
        '/sys/firmware/dmi/entries/16-0/raw': Uint8Array.from(array(0x1000, 3)),
        '/sys/firmware/dmi/entries/17-0/raw': Uint8Array.from(slot(8192)),
        '/sys/firmware/dmi/entries/17-1/raw': Uint8Array.from(slot(0)),
        '/sys/firmware/dmi/entries/4-0/raw': 'not asked for',
      },
    });
    assert.deepEqual(valuesOf(snapshot, memorySlots), { 'state=populated': 1, 'state=empty': 1, 'state=unknown': 0 });
    assert.equal(snapshot.collector('nodeconfig')?.status, 'ok');
  });

  it('says nothing without DMI, and why when only root may read it', () => {
    const none = collect(nodeconfig, { files: { [`${cpu}/isolated`]: '\n' } });
    assert.equal(none.series(memorySlots).length, 0);
    assert.equal(none.collector('nodeconfig')?.status, 'ok');
    const denied = collect(nodeconfig, {
      files: { [`${cpu}/isolated`]: '\n', [dmi]: refusal('EACCES') },
    });
    assert.equal(denied.series(memorySlots).length, 0);
    assert.deepEqual(denied.collector('nodeconfig')?.gaps, [
      { path: dmi, reason: 'permission denied (EACCES)', errno: 'EACCES' },
    ]);
  });

  it('refuses a table cut inside a structure', () => {
    const whole = table(slot(16384));
    assert.deepEqual(countSlots([]), undefined);
    for (const length of [1, 10, 29, whole.length - 7]) {
      const parsed = parseDmiTable(whole.subarray(0, length));
      assert.ok(!parsed.ok, `${length} bytes`);
    }
  });
});
