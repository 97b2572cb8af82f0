import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { pktcost } from '../support/command.ts';
import { parsePage } from '../support/page.ts';
import { TestNamespace, withoutRoot } from '../support/root.ts';

describe('a namespace that was entered without its own sysfs, as by nsenter or unshare', { skip: withoutRoot }, () => {
  let namespace: TestNamespace;
  let inside: readonly string[];
  before(() => {
    namespace = new TestNamespace();
    inside = ['nsenter', `--net=${namespace.path}`];
    // Named like a device of the host, where there is one.
    execFileSync('ip', [
      '-n',
      namespace.name,
      'link',
      'add',
      'pkthostile0',
      'type',
      'veth',
      'peer',
      'name',
      'pkthostile1',
    ]);
    execFileSync('ip', ['-n', namespace.name, 'link', 'set', 'pkthostile0', 'mtu', '1234']);
  });
  after(() => namespace.remove());

  const devicesOf = (page: string, metric: string): string[] =>
    [...parsePage(page).series.keys()]
      .filter((name) => name.startsWith(`${metric}{`))
      .map((name) => /device="([^"]*)"/.exec(name)?.[1] ?? '')
      .sort();

  it('has the devices of the namespace in every place, not those that the mounted sysfs shows', async () => {
    const { stdout } = await pktcost(['metrics'], { under: inside });
    assert.deepEqual(devicesOf(stdout, 'node_network_receive_packets_total'), ['lo', 'pkthostile0', 'pkthostile1']);
    for (const metric of ['node_network_mtu_bytes', 'pktcost_device_info']) {
      const shown = new Set(devicesOf(stdout, metric));
      for (const device of readdirSync('/sys/class/net')) if (device !== 'lo') assert.ok(!shown.has(device), device);
    }
    const all = [...stdout.matchAll(/device="([^"]*)"/g)].map(([, device]) => device);
    for (const device of readdirSync('/sys/class/net')) if (device !== 'lo') assert.ok(!all.includes(device), device);
  });

  it('knows its devices by name', async () => {
    const args = ['diagnose', '--window', '500ms', '--probe', 'off', '--fail-on', 'never'];
    assert.equal((await pktcost([...args, '-i', 'pkthostile0'], { under: inside })).status, 0);
    const others = readdirSync('/sys/class/net').find((name) => name !== 'lo');
    if (others === undefined) return;
    const { status, stderr } = await pktcost([...args, '-i', others], { under: inside });
    assert.equal(status, 2);
    assert.match(stderr, /no such network device/);
  });

  it('without the right to mount has no devices rather than wrong ones, and says why', async () => {
    const nobody = [...inside, 'setpriv', '--reuid=65534', '--clear-groups', '--'];
    const { stdout } = await pktcost(['doctor'], { under: nobody });
    assert.match(stdout.replaceAll(/\s+/g, ' '), /the mounted sysfs shows the devices of another network namespace/);
  });
});
