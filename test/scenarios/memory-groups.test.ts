/** Datagrams that a control group has no memory for: its limit is named, not the buffer of the socket. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';

import { type Diagnosed, type End, type Host, type Kit } from './kit/hosts.ts';
import { startInGroup } from './kit/groups.ts';
import { compiled } from './kit/programs.ts';
import { finding, scenario } from './kit/scenario.ts';

interface Setting {
  readonly server: Host;
  readonly client: Host;
  readonly at: End;
}

const MEMORY = '/sys/fs/cgroup/memory';
const PORT = 9000;

/** A reader of 500 datagrams a second at most, with a buffer for 16 MiB, in a group of version 1 whose sockets may have so much. */
async function limited({ server, client, at }: Setting, kit: Kit, bytes: number): Promise<Diagnosed> {
  const folder = `${MEMORY}/pktc-${process.pid}`;
  const options = { port: PORT, rcvbuf: 16 << 20, 'delay-us': 2000 };
  const reader = Object.entries(options).flatMap(([key, value]) => [`--${key}`, `${value}`]);
  await startInGroup(kit, folder, ['ip', 'netns', 'exec', server.netns, compiled('udp-receive'), ...reader], () => {
    writeFileSync(`${folder}/memory.kmem.tcp.limit_in_bytes`, `${bytes}`);
    return Promise.resolve();
  });
  await client.make('udp-send', { address: at.v4, port: PORT, rate: 4000, seconds: 10 });
  // The groups are seen where they are mounted, which is not in a namespace of `ip netns exec`.
  return kit.itself().diagnose('--window', '2s', '--netns', server.netns);
}

if (existsSync(`${MEMORY}/memory.kmem.tcp.limit_in_bytes`)) {
  scenario({
    title: 'Memory of sockets in a control group',
    codes: ['PKT0405'],
    ofMachine: true,
    setUp: (kit): Setting => {
      const [server, client] = [kit.host(), kit.host()];
      const [at] = kit.link(server, client);
      return { server, client, at };
    },
    cases: {
      // Of 256 KiB a datagram's pages are a larger part: one run of fifteen found more than a tenth left, it seems, and named no group.
      '1 MiB for a queue that grows by more': {
        fires: ['PKT0405'],
        provoke: (setting, kit) => limited(setting, kit, 1 << 20),
        check: (report, { server }) => {
          const found = finding(report, 'PKT0405');
          assert.equal(found.at['netns'], server.netns);
          // By the group's count of refusals, or by its level where the kernel does not count.
          assert.match(found.summary, /for want of memory.* control group \S*pktc-\d+/);
          assert.match(found.summary, /group of udp-receive \(pid \d+\)/);
          assert.equal(found.place.pids?.length, 1);
          return undefined;
        },
      },
      'the same queue where the group may have 512 MiB': {
        provoke: (setting, kit) => limited(setting, kit, 512 << 20),
      },
    },
  });
}
