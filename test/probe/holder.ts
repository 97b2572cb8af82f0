/** A process which holds a session until it is killed: `node holder.js NETNS DEVICE tcx|clsact [generic]`. Says `ready`. */
import { readCapabilities } from '../../src/probe/capabilities.ts';
import { readDeviceFacts } from '../../src/probe/facts.ts';
import { netnsInode } from '../../src/probe/libc.ts';
import { planDevices } from '../../src/probe/plan.ts';
import { openProbe } from '../../src/probe/session.ts';

const [netns = '', device = '', tc = 'tcx', xdp] = process.argv.slice(2);
const path = `/run/netns/${netns}`;
const inode = netnsInode(path);
const facts = readDeviceFacts({ id: inode.ok ? inode.value : netns, path }, [device]);
if (!facts.ok) throw new Error(facts.reason);
const capabilities = readCapabilities();
const plans = planDevices(
  facts.value,
  { probe: xdp === undefined ? 'taps' : 'xdp', tc: tc === 'clsact' ? 'clsact' : 'tcx' },
  capabilities,
);
const session = await openProbe({ plans, capabilities });
if (!session.ok) throw new Error(session.reason);
process.stdout.write(`ready ${session.value.tier}\n`);
setInterval(() => session.value.read(), 200);
