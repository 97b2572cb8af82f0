import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../../src', import.meta.url));

/** A host for which koffi has no build: everything that would make a foreign call, asked in turn. */
const program = `
import Module from 'node:module';
const load = Module._load;
Module._load = function (name, ...rest) {
  // By name, or by the file that stands for it.
  if (/(^|\\/)koffi(\\/|$)/.test(name)) throw new Error('no build for this host\\nand a long story');
  return load.call(this, name, ...rest);
};
const from = (path) => import(${JSON.stringify(`file://${source}/`)} + path);
const { libc } = await from('ffi/libc.js');
const { netlinkDump } = await from('ffi/netlink.js');
const { inNamespace, privateNamespace } = await from('ffi/namespaces.js');
const { dumpLinks, dumpClsact, dumpFilters } = await from('probe/rtnetlink.js');
const { driverOf, statisticsOf, ringOf } = await from('ffi/ethtool.js');
const { featuresOf } = await from('probe/ethtool.js');
const { readDeviceFacts, ownNetns } = await from('probe/facts.js');
const { loadLibbpf } = await from('probe/libbpf.js');
const { readCapabilities } = await from('probe/capabilities.js');
const { openSession } = await from('probe/session.js');
const { liveReader, HOST_ROOTS } = await from('sources/live-reader.js');
const reader = liveReader(HOST_ROOTS, { allowSystemChanges: true });
const answers = [
  libc(),
  netlinkDump(4, 20, new Uint8Array(20), () => ({ ok: true, value: 1 })),
  inNamespace('/proc/self/ns/net', () => 1),
  privateNamespace(),
  dumpLinks(), dumpClsact(), dumpFilters(1, 'ingress'),
  driverOf('lo'), statisticsOf('lo'), ringOf('lo'), featuresOf('lo'), readDeviceFacts(ownNetns()),
  loadLibbpf(),
  await openSession({ plans: [], capabilities: { ...readCapabilities(), btf: true } }),
  reader.dump('packet_diag'), reader.dump('rings'), reader.dump('ring_losses'),
];
const files = [reader.read('/proc/stat'), reader.dump('sysconf'), reader.dump('socket_owners', [1])];
process.stdout.write(JSON.stringify({ reasons: answers.map(({ reason }) => reason), files: files.map(({ ok }) => ok) }));
`;

describe('without koffi', () => {
  it('every foreign call is a failure with the reason, and files are still read', () => {
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' });
    const { reasons, files } = JSON.parse(said) as { reasons: (string | undefined)[]; files: boolean[] };
    assert.deepEqual(
      [...new Set(reasons)],
      ['foreign calls need koffi, which could not be loaded: no build for this host'],
    );
    assert.deepEqual(files, [true, true, true]);
  });
});
