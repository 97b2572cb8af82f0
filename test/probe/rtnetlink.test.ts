import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import { askInNamespace } from '../../src/ffi/namespaces.ts';
import {
  dumpClsact,
  dumpFilters,
  dumpLinks,
  parseClsact,
  parseFilter,
  parseLink,
  parseMissed,
} from '../../src/probe/rtnetlink.ts';
import { cutAnywhere, garbled, hexFixture } from '../support/bytes.ts';
import { TestNamespace, withoutRoot } from '../support/root.ts';

const fixtures = {
  'rtnetlink/link-veth-generic-xdp': { parse: parseLink, header: 16 },
  'rtnetlink/link-bridge-port': { parse: parseLink, header: 16 },
  'rtnetlink/qdisc-clsact': { parse: parseClsact, header: 20 },
  'rtnetlink/filter-ours': { parse: parseFilter, header: 20 },
};

describe('rtnetlink messages', () => {
  it('tell of a link its kind, its peer and the XDP program on it', () => {
    const link = parseLink(hexFixture('rtnetlink/link-veth-generic-xdp'));
    assert.ok(link.ok && link.value);
    const { xdp, ...rest } = link.value;
    assert.deepEqual(rest, {
      ifindex: 3,
      name: 'v0',
      type: 1,
      up: true,
      mtu: 1500,
      operstate: 'up',
      kind: 'veth',
      qdisc: 'noqueue',
      lower: 2,
    });
    assert.equal(xdp?.mode, 'generic');
    assert.deepEqual(
      xdp.programs.map(({ mode }) => mode),
      ['generic'],
    );
  });

  it('tell of a bridge port its bridge, and of a link without XDP no program', () => {
    const port = parseLink(hexFixture('rtnetlink/link-bridge-port'));
    assert.ok(port.ok && port.value);
    assert.equal(port.value.master, 4);
    assert.equal(port.value.xdp, undefined);
  });

  it('tell of a filter its handle, priority and program, and of a chain head that it is none', () => {
    const ours = parseFilter(hexFixture('rtnetlink/filter-ours'));
    assert.ok(ours.ok);
    const { bpfName, bpfId, ...rest } = ours.value;
    assert.deepEqual(rest, { ifindex: 3, handle: 0x706b7401, priority: 1, kind: 'bpf' });
    assert.equal(bpfName, `pktcost_in:[${bpfId ?? 'none'}]`);
    const head = parseFilter(hexFixture('rtnetlink/filter-chain-head'));
    assert.ok(head.ok);
    assert.equal(head.value.handle, 0);
  });

  it('tell which device has a clsact qdisc', () => {
    assert.deepEqual(parseClsact(hexFixture('rtnetlink/qdisc-clsact')), { ok: true, value: 3 });
    assert.deepEqual(parseClsact(hexFixture('rtnetlink/qdisc-noqueue')), { ok: true, value: undefined });
  });

  it('tell of a device what its card had no room for, where the statistics are there', () => {
    const attribute = (type: number, payload: Buffer): Buffer => {
      const head = Buffer.alloc(4);
      head.writeUInt16LE(4 + payload.length, 0);
      head.writeUInt16LE(type, 2);
      return Buffer.concat([head, payload, Buffer.alloc(-payload.length & 3)]);
    };
    const statistics = Buffer.alloc(200);
    statistics.writeBigUInt64LE(41n, 120);
    const name = attribute(3, Buffer.from('eth7\0'));
    const told = Buffer.concat([Buffer.alloc(16), name, attribute(23, statistics)]);
    assert.deepEqual(parseMissed(told), { ok: true, value: ['eth7', 41] });
    assert.deepEqual(parseMissed(Buffer.concat([Buffer.alloc(16), name])), { ok: true, value: undefined });
    statistics.writeBigUInt64LE(2n ** 64n - 1n, 120);
    const nonsense = Buffer.concat([Buffer.alloc(16), name, attribute(23, statistics)]);
    assert.deepEqual(parseMissed(nonsense), { ok: true, value: undefined });
    for (const noise of [...cutAnywhere(told), ...garbled(told)]) {
      const parsed = parseMissed(noise);
      assert.ok(parsed.ok ? parsed.value === undefined || parsed.value[1] >= 0 : parsed.reason.length > 0);
    }
  });

  it('give a value or a reason for any bytes', () => {
    for (const [name, { parse, header }] of Object.entries(fixtures)) {
      const bytes = hexFixture(name);
      for (const cut of cutAnywhere(bytes)) if (cut.length < header) assert.ok(!parse(cut).ok, name);
      for (const noise of [...cutAnywhere(bytes), ...garbled(bytes)]) {
        const parsed = parse(noise);
        if (parsed.ok) assert.ok(!/NaN/.test(JSON.stringify(parsed.value)), name);
        else assert.ok(parsed.reason.length > 0);
      }
    }
  });
});

describe('rtnetlink dumps', { skip: withoutRoot }, () => {
  it('show the devices of the namespace they are asked in', async () => {
    const netns = new TestNamespace();
    try {
      const links = askInNamespace(netns.path, dumpLinks);
      assert.ok(links.ok, links.ok ? '' : links.reason);
      const lo = links.value.find(({ name }) => name === 'lo');
      assert.ok(lo?.up === true && lo.type === 772);
      assert.deepEqual(askInNamespace(netns.path, dumpClsact), { ok: true, value: [] });
      assert.deepEqual(
        askInNamespace(netns.path, () => dumpFilters(lo.ifindex, 'ingress')),
        { ok: true, value: [] },
      );
    } finally {
      await netns.remove();
    }
  });
});
