// A run in mid-scenario, for the test of the kit: hosts, traffic, a diagnosis, a changed setting. Then it ends as told.
//   node held.js end|fail|late|wait SETTING
import { pause, withHosts } from './hosts.ts';

const [, , how = '', setting = ''] = process.argv;

await withHosts(
  async (kit) => {
    const [server, client] = [kit.host(), kit.host()];
    const [at] = kit.link(server, client);
    kit.folder();
    await server.make('udp-receive', { port: 9000 });
    await client.make('udp-send', { address: at.v4, port: 9000, rate: 100 });
    await server.start(['sleep', '60']);
    console.log('hosts');
    await kit.hostSetting(setting, 'changed');
    void server.pktcost('diagnose', '--netns', 'none', '--window', '40s');
    console.log('held');
    if (how === 'fail') throw new Error('as told');
    if (how !== 'end') await pause(40_000);
  },
  how === 'late' ? 6 : undefined,
);
