/** Where losses are provoked: a client and a server with a router between them, and rows that say what must be told. */
import assert from 'node:assert/strict';
import { it } from 'node:test';

import type { LedgerRow, Report } from '../../../src/generated/report.ts';
import { withHosts, type End, type Host, type Kit, type Program } from './hosts.ts';
import { replaysAtTheEnd } from './replays.ts';
import { brief, keep, recordOf } from './scenario.ts';

/** client - router - server, with routes over the router. */
export class Lab {
  readonly #kit: Kit;
  readonly client: Host;
  readonly router: Host;
  readonly server: Host;
  readonly at: { readonly client: End; readonly inner: End; readonly outer: End; readonly server: End };

  constructor(kit: Kit) {
    this.#kit = kit;
    [this.client, this.router, this.server] = [kit.host(), kit.host(), kit.host()];
    const [client, inner] = kit.link(this.client, this.router);
    const [outer, server] = kit.link(this.router, this.server);
    this.at = { client, inner, outer, server };
    for (const [host, gateway] of [
      [this.client, inner],
      [this.server, outer],
    ] as const) {
      host.run('ip', 'route', 'add', 'default', 'via', gateway.v4);
      host.run('ip', '-6', 'route', 'add', 'default', 'via', gateway.v6);
    }
    this.router.sysctl({ 'net.ipv4.ip_forward': 1, 'net.ipv6.conf.all.forwarding': 1 });
  }

  get kit(): Kit {
    return this.#kit;
  }

  /** Frames from the client to the router, made by hand. */
  craft(options: Readonly<Record<string, string | number>> = {}): Promise<Program> {
    const { client, server } = this.at;
    const mac = this.router.run('cat', `/sys/class/net/${this.at.inner.device}/address`).trim();
    const v6 = String(options['to'] ?? '').includes(':');
    return this.client.make('craft', {
      device: client.device,
      mac,
      from: v6 ? client.v6 : client.v4,
      to: server.v4,
      rate: 1000,
      ...options,
    });
  }
}

export type Place = 'client' | 'router' | 'server';

/** One way to lose packets, and what must be said of it. */
export interface Row {
  /** The rule that must speak about it. */
  readonly code: string;
  /** What the kernel must call it, or the function where it gives no reason; none where only a counter tells. */
  readonly reason?: string | readonly string[];
  readonly at: Place;
  /** Whether the rule must say it is more than a remark. */
  readonly warns?: true;
  /** What the finding's words must have. */
  readonly says?: RegExp;
  readonly provoke: (lab: Lab) => Promise<unknown>;
  /** The same without the cause: the rule does not warn, and the reason is not among the drops. */
  readonly twin?: (lab: Lab) => Promise<unknown>;
}

export function said(report: Report, code: string): Report['findings'][number] | undefined {
  return report.findings.find((each) => each.code === code && ['critical', 'warning', 'info'].includes(each.outcome));
}

export function ofHere(report: Report): LedgerRow[] {
  return (report.ledger?.rows ?? []).filter(({ netns }) => netns === '');
}

function rowOf(rows: readonly LedgerRow[], reason: Row['reason']): LedgerRow | undefined {
  const wanted = typeof reason === 'string' ? [reason] : (reason ?? []);
  return rows.find(({ reason: name, place }) => wanted.includes(name) || wanted.includes(place));
}

/** Diagnoses from within the namespace, or from outside: then every finding and every row must name it. */
async function look(lab: Lab, at: Place, from: 'within' | 'outside'): Promise<Report> {
  if (from === 'within') return (await lab[at].diagnose('--window', '1s')).report;
  const { netns } = lab[at];
  const { report } = await lab.kit.itself().diagnose('--window', '1s', '--netns', netns);
  const here = (row: LedgerRow): boolean => row.netns === netns;
  return {
    ...report,
    findings: report.findings.filter(({ at: labels }) => labels['netns'] === netns),
    ...(report.ledger == null
      ? {}
      : { ledger: { ...report.ledger, rows: report.ledger.rows.filter(here).map((row) => ({ ...row, netns: '' })) } }),
  };
}

/** Runs it and keeps what the rule said; a remark counts as said of a cause, and not of a twin. */
async function recorded(
  name: string,
  code: string,
  twin: boolean,
  run: (told: (report: Report) => void) => Promise<void>,
): Promise<void> {
  const record = recordOf('Ways to lose packets', name, [code], twin ? [] : [code]);
  let heard: ReturnType<typeof brief>[] = [];
  const told = (report: Report): void => {
    const finding = said(report, code);
    const counts = finding !== undefined && (!twin || (finding.outcome !== 'info' && finding.role !== 'context'));
    heard = counts ? [brief(finding)] : [];
  };
  const quiet = twin ? [code] : [];
  try {
    await run(told);
    keep({ ...record, quiet, fired: heard });
  } catch (error) {
    keep({ ...record, quiet, fired: heard, error: error instanceof Error ? error.message : String(error) });
    throw error;
  }
}

/** Declares the rows as tests: each cause is named by reason, rule and namespace, and its twin is quiet. */
export function provoked(
  rows: Readonly<Record<string, Row>>,
  skip: string | false,
  from: 'within' | 'outside' = 'within',
): void {
  const replays = replaysAtTheEnd();
  for (const [name, row] of Object.entries(rows)) {
    const { code, reason, at, provoke, twin } = row;
    const called = reason === undefined ? 'counters' : [reason].flat().join(' or ');
    const full = from === 'within' ? name : `${name}, seen from outside`;
    it(`${name}: ${called}, ${code}`, { timeout: 240_000, skip }, async () => {
      await recorded(full, code, false, (hear) =>
        withHosts(
          async (kit) => {
            const lab = new Lab(kit);
            await provoke(lab);
            const report = await look(lab, at, from);
            hear(report);
            const told = JSON.stringify({ rows: ofHere(report), notMeasured: report.notMeasured });
            const finding = said(report, code);
            assert.ok(finding !== undefined, `${code} says nothing: ${told}`);
            if (row.warns === true) assert.notEqual(finding.outcome, 'info', finding.summary);
            if (row.says !== undefined) assert.match(finding.summary, row.says);
            if (reason === undefined) return;
            const found = rowOf(ofHere(report), reason);
            assert.ok(found !== undefined && found.packets >= 50, `no ${called} in ${told}`);
            assert.equal(found.rule, code);
          },
          undefined,
          replays.of(full),
        ),
      );
    });
    if (twin === undefined) continue;
    it(`not so: ${name}`, { timeout: 240_000, skip }, async () => {
      await recorded(`not so: ${full}`, code, true, (hear) =>
        withHosts(
          async (kit) => {
            const lab = new Lab(kit);
            await twin(lab);
            const report = await look(lab, at, from);
            hear(report);
            const finding = said(report, code);
            const loud = finding !== undefined && finding.outcome !== 'info';
            assert.ok(!loud || finding.role === 'context', `${code}: ${finding?.summary ?? ''}`);
            const found = rowOf(ofHere(report), reason);
            assert.ok((found?.packets ?? 0) <= 10, JSON.stringify(found));
          },
          undefined,
          replays.of(`not so: ${full}`),
        ),
      );
    });
  }
}
