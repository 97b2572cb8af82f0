/** The sampling profile: whether this kernel and its CPU let it sample, and whether the functions of this architecture are known. */
import assert from 'node:assert/strict';
import type { Check } from './check.ts';
import { diagnosed, tcpdump, twoHosts, udp } from './traffic.ts';

const percent = (share: number): string => `${(share * 100).toFixed(0)}%`;

export const profileChecks: readonly Check[] = [
  {
    id: 'profile',
    what: 'the profile samples the receive path and names its parts, or says why not',
    seconds: 240,
    run: async (guest) => {
      const { server, client, at } = twoHosts(guest.kit);
      await udp(server, client, at);
      await tcpdump(server, at.device);
      const { profile } = await diagnosed(guest, server, '--window', '8s');
      assert.ok(profile !== undefined, 'the report says what became of the profile');
      if (profile.clock === null) {
        assert.ok((profile.reason ?? '') !== '', 'its reason is told');
        guest.note(`no profile: ${profile.reason ?? ''}`);
        return;
      }
      const receive = profile.directions.find(({ direction }) => direction === 'receive');
      assert.ok(
        receive !== undefined && receive.samples > 50,
        `${String(receive?.samples)} samples of the receive path`,
      );
      const parts = receive.parts.map(({ part, share }) => `${part} ${percent(share)}`);
      guest.note(`by ${profile.clock}, ${String(receive.samples)} samples: ${parts.join(', ')}`);
      const named = new Set(receive.parts.map(({ part }) => part));
      assert.ok(named.has('tap-receive'), "the tap's part is named");
      const other = receive.parts.find(({ part }) => part === 'other');
      assert.ok((other?.share ?? 0) < 0.3, 'most of it is of a part with a name');
    },
  },
];
