/**
 * Who sits on each hook of the packet path, since 5.14 and where nfnetlink_hook is built in or loaded.
 * Source: net/netfilter/nfnetlink_hook.c:nfnl_hook_dump_one.
 */
import { LITTLE, NETLINK_NETFILTER, netlinkDump, parseAttributes, textOf, viewOf } from '../../ffi/netlink.ts';
import { fail, ok, type Result } from '../../base/result.ts';
import { be32, familyName, hookName } from './nftables.ts';

/** NFNL_SUBSYS_HOOK, NFNL_MSG_HOOK_GET */
const HOOK_GET = 12 << 8;
const NFGENMSG = 4;
/** enum nfnl_hook_attributes */
const HOOK = { number: 1, priority: 2, function: 4, module: 5 } as const;

export interface HookFunction {
  readonly family: string;
  readonly hook: string;
  readonly priority: number;
  readonly function: string;
  readonly module: string;
}

/** ipv4, ipv6 and bridge have five hooks each. */
const asked: readonly (readonly [family: number, hooks: number])[] = [
  [2, 5],
  [10, 5],
  [7, 5],
];

export function parseHookFunction(bytes: Uint8Array): Result<HookFunction> {
  if (bytes.length < NFGENMSG) return fail('netfilter hook message cut short', bytes.length);
  const attributes = parseAttributes(bytes, NFGENMSG);
  if (!attributes.ok) return attributes;
  const all = attributes.value;
  const family = familyName(bytes[0]!);
  return ok({
    family,
    hook: hookName(family, be32(all.get(HOOK.number)) ?? 0),
    priority: (be32(all.get(HOOK.priority)) ?? 0) | 0,
    function: textOf(all.get(HOOK.function)),
    module: textOf(all.get(HOOK.module)),
  });
}

const noneOfFamily = new Set<string | undefined>(['ENOENT', 'EOPNOTSUPP', 'EAFNOSUPPORT', 'EPROTONOSUPPORT']);

/** Every function on the hooks of this thread's namespace. A family that is not there has none. */
export function dumpHookFunctions(): Result<readonly HookFunction[]> {
  const found: HookFunction[] = [];
  for (const [family, hooks] of asked) {
    for (let hook = 0; hook < hooks; hook += 1) {
      const functions = netlinkDump(NETLINK_NETFILTER, HOOK_GET, requestOf(family, hook), parseHookFunction);
      if (functions.ok) found.push(...functions.value);
      else if (!noneOfFamily.has(functions.errno)) return functions;
    }
  }
  return ok(found);
}

function requestOf(family: number, hook: number): Uint8Array {
  const request = new Uint8Array(NFGENMSG + 8);
  request[0] = family;
  const view = viewOf(request);
  view.setUint16(NFGENMSG, 8, LITTLE);
  view.setUint16(NFGENMSG + 2, HOOK.number, LITTLE);
  view.setUint32(NFGENMSG + 4, hook, false);
  return request;
}
