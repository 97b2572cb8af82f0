import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

import { inNamespace } from '../../src/ffi/namespaces.ts';
import { withHostSettings } from '../../src/sources/host-settings.ts';
import { HOST_ROOTS, liveReader } from '../../src/sources/live-reader.ts';
import { TestNamespace, withoutRoot } from '../support/root.ts';

const backlog = '/proc/sys/net/core/netdev_max_backlog';

describe('settings of the whole host', { skip: withoutRoot }, () => {
  it('are read from the host within a namespace that does not show them; its own are not', async () => {
    const namespace = new TestNamespace();
    try {
      const plain = liveReader(HOST_ROOTS);
      const seen = inNamespace(namespace.path, () => {
        const reader = withHostSettings(plain, HOST_ROOTS);
        return {
          alone: plain.read(backlog),
          backlog: reader.read(backlog),
          tcpMem: reader.read('/proc/sys/net/ipv4/tcp_mem'),
          devices: reader.read('/proc/net/dev'),
          netfilter: reader.read('/proc/sys/net/ipv4/no_such_setting'),
        };
      });
      assert.ok(seen.ok);
      const { alone, backlog: ofHost, tcpMem, devices, netfilter } = seen.value;
      assert.ok(!alone.ok, 'a namespace of its own does not show it');
      assert.ok(ofHost.ok);
      assert.equal(Buffer.from(ofHost.value).toString(), readFileSync(backlog, 'utf8'));
      assert.ok(tcpMem.ok);
      assert.ok(devices.ok);
      assert.doesNotMatch(Buffer.from(devices.value).toString(), /eth|ens|enp/);
      assert.ok(!netfilter.ok);
    } finally {
      await namespace.remove();
    }
  });

  it('come from nowhere else when the namespace shows them', () => {
    const reader = withHostSettings(liveReader(HOST_ROOTS), HOST_ROOTS);
    const read = reader.read(backlog);
    assert.equal(read.ok && Buffer.from(read.value).toString(), readFileSync(backlog, 'utf8'));
  });
});
