/** A process which holds a session until it is killed: `node holder.js NETNS DEVICE tcx|clsact [generic]`. Says `ready` and its programs' ids. */
import { readCapabilities } from '../../src/probe/capabilities.ts';
import { readDeviceFacts } from '../../src/probe/facts.ts';
import { netnsInode } from '../../src/ffi/namespaces.ts';
import { planDevices } from '../../src/probe/plan.ts';
import { openSession } from '../../src/probe/session.ts';

const [netns = '', device = '', tc = 'tcx', xdp] = process.argv.slice(2);
const path = `/run/netns/${netns}`;
const inode = netnsInode(path);
const facts = readDeviceFacts({ id: inode.ok ? String(inode.value) : netns, path }, [device]);
if (!facts.ok) throw new Error(facts.reason);
const capabilities = readCapabilities();
const plans = planDevices(
  facts.value,
  { probe: xdp === undefined ? 'taps' : 'xdp', tc: tc === 'clsact' ? 'clsact' : 'tcx' },
  capabilities,
);
const session = await openSession({ plans, capabilities });
if (!session.ok) throw new Error(session.reason);
const { bpf } = session.value;
const ids = session.value.programs().flatMap((program) => {
  const runs = bpf.programRuns(program);
  return runs.ok ? [runs.value.id] : [];
});
process.stdout.write(`ready ${session.value.tier} ${ids.join(',')}\n`);
setInterval(() => session.value.read(), 200);
