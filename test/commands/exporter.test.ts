import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';

import type { Report } from '../../src/generated/report.ts';
import { validateReport } from '../../src/generated/validate.ts';
import { pktcost, type Ran } from '../support/command.ts';
import { serve, type Served } from '../support/http.ts';

const text = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' };

let scrapes = 0;

/** A table that is full, and drops between one scrape and the next. */
function full(): string {
  scrapes += 1;
  return (
    'node_nf_conntrack_entries 1000\nnode_nf_conntrack_entries_limit 1000\nnode_nf_conntrack_stat_early_drop 0\n' +
    'node_nf_conntrack_stat_insert_failed 0\n' +
    `node_nf_conntrack_stat_drop ${scrapes * 500}\nnode_network_receive_packets_total{device="eth\u001b[31m0"} 7\n` +
    'node_uname_info{sysname="Linux",release="6.1",version="1",machine="x",nodename="web-1",domainname=""} 1\n'
  );
}

const pages: Readonly<Record<string, (response: ServerResponse) => void>> = {
  '/metrics': (response) => response.writeHead(200, text).end(full()),
  '/gzip': (response) => response.writeHead(200, { ...text, 'content-encoding': 'gzip' }).end(gzipSync(full())),
  '/file.prom': (response) => response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(full()),
  '/html': (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>\n'),
  '/untyped-html': (response) => response.writeHead(200, text).end('<html>\n'),
  '/json': (response) => response.writeHead(200, { 'content-type': 'application/json' }).end('{}'),
  '/away': (response) => response.writeHead(302, { location: 'http://user:secret@elsewhere:9100/metrics?t=1' }).end(),
  '/file': (response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
  '/private': (response) => response.writeHead(401).end(),
  '/broken': (response) => response.writeHead(500, text).end('oh'),
  '/cut': (response) => response.writeHead(200, text).end(full().slice(0, -3)),
  '/others': (response) => response.writeHead(200, text).end('go_goroutines 7\n'),
  '/bomb': (response) => response.writeHead(200, { ...text, 'content-encoding': 'gzip' }).end(bomb()),
  '/hang-up': (response) => void response.socket?.destroy(),
};

/** 65 MiB in 65 kB. */
function bomb(): Buffer {
  return gzipSync(Buffer.alloc(65 * 2 ** 20, '# a comment that never ends\n'), { level: 9 });
}

let server: Served;

before(async () => {
  server = await serve((request, response) => {
    const page = pages[new URL(request.url ?? '/', 'http://x').pathname];
    if (page === undefined) response.writeHead(404).end();
    else page(response);
  });
});
after(() => server.close());

async function diagnose(path: string, ...args: readonly string[]): Promise<Ran> {
  return pktcost(['diagnose', '--exporter', `${server.url}${path}`, '--window', '500ms', ...args]);
}

describe('diagnose --exporter', () => {
  it('judges the page of another host, at /metrics where no path is given', async () => {
    for (const path of ['', '/', '/metrics', '/gzip', '/file.prom']) {
      const { status, stdout, stderr } = await diagnose(path, '--json');
      assert.equal(status, 3, stderr);
      const report = JSON.parse(stdout) as Report;
      assert.ok(validateReport(report), JSON.stringify(validateReport.errors));
      assert.equal(report.verdict.principal, 'PKT0201');
      assert.equal(report.host.hostname, 'web-1');
      assert.equal(report.probe.status, 'off');
      assert.match(report.probe.reason ?? '', /^another host's page: http:\/\/127\.0\.0\.1:\d+\//);
      assert.ok(report.window.seconds >= 0.5 && report.window.seconds < 5, `${String(report.window.seconds)} s`);
    }
  });

  it('names where it came from, and nothing of user name, password and query', async () => {
    const url = server.url.replace('//', '//operator:s3cr%20t@');
    const seen = server.asked.length;
    for (const format of ['text', 'json', 'markdown', 'html']) {
      const args = ['diagnose', '--exporter', `${url}/metrics?key=k3y`, '--window', '500ms', '--format', format];
      const { stdout, stderr } = await pktcost(args);
      assert.ok(stdout.includes(`${server.url.replace('http://', '')}/metrics`), format);
      assert.ok(!/s3cr|operator|k3y/.test(stdout + stderr), format);
    }
    const { headers, url: asked } = server.asked[seen]!;
    assert.equal(headers.authorization, `Basic ${Buffer.from('operator:s3cr t').toString('base64')}`);
    assert.equal(asked, '/metrics?key=k3y');
  });

  it('shows what a page says as text only', async () => {
    const { stdout } = await diagnose('/metrics', '-v');
    assert.ok(!stdout.includes('\u001b'));
  });

  for (const [path, line] of [
    ['/html', /answers with an HTML page and not with metrics as text: is the path right/],
    ['/untyped-html', /is no page in the Prometheus text format: line 1: neither a comment nor/],
    ['/json', /answers with application\/json and not with metrics/],
    ['/away', /redirects to http:\/\/elsewhere:9100\/metrics: give the address it leads to$/],
    ['/file', /redirects to an address of file:: give the address it leads to$/],
    ['/private', /refuses \(HTTP 401\): it wants a user name and password/],
    ['/broken', /answers with HTTP 500 and not with a page of metrics/],
    ['/absent', /answers with HTTP 404/],
    ['/cut', /line 7: the page ends in the middle of a line/],
    ['/others', /has no metric of a host: is it node_exporter's/],
    ['/bomb', /answers with more than 64 MiB/],
    ['/hang-up', /cannot be asked: /],
  ] as const) {
    it(`is one line and exit code 2: ${path}`, async () => {
      const { status, stdout, stderr } = await diagnose(path);
      assert.equal(status, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr.trimEnd(), line);
      assert.equal(stderr.trimEnd().split('\n').length, 1);
      assert.ok(stderr.startsWith(`pktcost: --exporter ${server.url}${path}: `), stderr);
    });
  }

  for (const [args, line] of [
    [['http://127.0.0.1:1/metrics'], /--exporter http:\/\/127\.0\.0\.1:1\/metrics: cannot be asked: /],
    [['http://127.0.0.1:6000/metrics'], /cannot be asked: its port is one that HTTP clients refuse to ask/],
    [['host:9100'], /begins with neither http:\/\/ nor https:\/\//],
    [['file:///etc/passwd'], /begins with neither http/],
    [['http://user:s3cr%zz@host/'], /the user name or password in the URL has a %/],
    [['nonsense s3cr@t'], /--exporter: not a URL/],
    [
      ['http://host:9100', '--probe', 'off', '--netns', 'all', '--bundle', 'x.tar.gz', '--path.procfs', '/proc'],
      /leave out --probe, --netns, --bundle, --path\.procfs, of use on this host only$/,
    ],
    [
      ['http://host:9100', '--max-overhead', '1%', '--allow-system-changes'],
      /leave out --allow-system-changes, --max-overhead/,
    ],
  ] as const) {
    it(`is one line and exit code 2: ${args.join(' ')}`, async () => {
      const { status, stdout, stderr } = await pktcost(['diagnose', '--window', '500ms', '--exporter', ...args]);
      assert.equal(status, 2, stderr);
      assert.equal(stdout, '');
      assert.match(stderr.trimEnd(), line);
      assert.doesNotMatch(stderr, /s3cr/);
      assert.equal(stderr.trimEnd().split('\n').length, 1);
    });
  }

  it('knows the devices of the page', async () => {
    const { status, stderr } = await diagnose('/metrics', '--interface', 'eth9');
    assert.equal(status, 2);
    assert.match(stderr, /--interface eth9: no such network device: there are eth\\x1b\[31m0$/m);
  });

  it('is ended early by a signal, and says so', async () => {
    const { status, stdout } = await pktcost(
      ['diagnose', '--exporter', `${server.url}/metrics`, '--window', '1h', '--json'],
      {
        during: (child) => {
          const from = server.asked.length;
          const look = setInterval(() => {
            if (server.asked.length === from) return;
            clearInterval(look);
            setTimeout(() => child.kill('SIGINT'), 600);
          }, 20);
        },
      },
    );
    assert.equal(status, 3);
    assert.equal((JSON.parse(stdout) as Report).window.cutShort, true);
  });
});
