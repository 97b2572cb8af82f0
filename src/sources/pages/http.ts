import { fail, ok, type Result } from '../../base/result.ts';
import type { Endpoint } from './endpoint.ts';

export interface HttpAnswer {
  readonly status: number;
  /** Without parameters, in small letters; '' when there is none. */
  readonly contentType: string;
  readonly body: Uint8Array;
}

export interface Asking {
  readonly accept: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Most bytes of the answer, after decompression. */
  readonly most: number;
  readonly timeoutMs: number;
  /** Ends it earlier. */
  readonly stop?: AbortSignal;
}

/**
 * One GET, to the end of its answer. No redirect is followed: it would take the credentials, and the question, to a host
 * that nobody named.
 */
export async function get(
  { authorization }: Pick<Endpoint, 'authorization'>,
  url: URL,
  asking: Asking,
): Promise<Result<HttpAnswer>> {
  const secrets = secretsOf(authorization, asking.headers?.['authorization']);
  const timeout = AbortSignal.timeout(asking.timeoutMs);
  const signal = asking.stop === undefined ? timeout : AbortSignal.any([timeout, asking.stop]);
  try {
    const response = await fetch(url, {
      redirect: 'manual',
      signal,
      headers: {
        accept: asking.accept,
        'user-agent': 'pktcost',
        ...(authorization === undefined ? {} : { authorization }),
        ...asking.headers,
      },
    });
    if (response.status >= 300 && response.status < 400) {
      await response.body?.cancel();
      return fail(
        `redirects ${masked(redirectTarget(response.headers.get('location'), url), secrets)}: give the address it leads to`,
      );
    }
    const body = await bodyOf(response, asking.most);
    if (body === undefined) return { ...fail(`answers with more than ${asking.most / 2 ** 20} MiB`), tooMuch: true };
    for (const secret of secrets) mask(body, secret);
    const contentType = masked(response.headers.get('content-type') ?? '', secrets)
      .split(';')[0]!
      .trim()
      .toLowerCase();
    return ok({ status: response.status, contentType, body });
  } catch (error) {
    if (asking.stop?.aborted === true) return fail('was not asked to the end: time is up');
    if (timeout.aborted) return fail(`does not answer within ${asking.timeoutMs / 1000} s`);
    return fail(`cannot be asked: ${causeOf(error)}`);
  }
}

/** A shorter one may be part of any word, and keeps nobody out. */
const SHORTEST_SECRET = 8;

/** What we send to prove who we are, in each form in which a server might repeat it. */
function secretsOf(...headers: readonly (string | undefined)[]): readonly Buffer[] {
  return headers.flatMap((header = '') => {
    const [scheme = '', credentials = ''] = header.split(' ');
    const plain =
      scheme === 'Basic'
        ? Buffer.from(credentials, 'base64')
            .toString()
            .replace(/^[^:]*:/, '')
        : '';
    return [credentials, plain].filter(({ length }) => length >= SHORTEST_SECRET).map((secret) => Buffer.from(secret));
  });
}

function masked(text: string, secrets: readonly Buffer[]): string {
  return secrets.reduce((shown, secret) => shown.replaceAll(secret.toString(), '***'), text);
}

/** Whatever of an answer ends in a report, a secret of ours is not in it. */
function mask(body: Uint8Array, secret: Buffer): void {
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.length);
  for (let at = bytes.indexOf(secret); at >= 0; at = bytes.indexOf(secret, at + secret.length))
    bytes.fill('*', at, at + secret.length);
}

async function bodyOf(response: Response, most: number): Promise<Uint8Array | undefined> {
  if (response.body === null) return new Uint8Array();
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const piece of response.body as AsyncIterable<Uint8Array>) {
    size += piece.length;
    // Leaving the loop cancels what is still to come.
    if (size > most) return undefined;
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}

/** Where a redirect leads, without what may be secret in it. */
function redirectTarget(location: string | null, from: URL): string {
  if (location === null || !URL.canParse(location, from.href)) return 'nowhere';
  const to = new URL(location, from);
  if (to.protocol !== 'http:' && to.protocol !== 'https:') return `to an address of ${to.protocol}`;
  return `to ${to.origin}${to.pathname}`;
}

/** fetch says "fetch failed" and keeps the reason in its cause. */
function causeOf(error: unknown): string {
  const causes: string[] = [];
  for (let each: unknown = error; each instanceof Error && causes.length < 4; each = each.cause) {
    const code = 'code' in each && typeof each.code === 'string' ? each.code : '';
    const message = each.message === 'fetch failed' ? '' : each.message;
    // An address that has several tries has no message of its own.
    // Undici refuses the ports of the Fetch standard's list, such as 6000, without asking.
    if (message === 'bad port')
      return 'its port is one that HTTP clients refuse to ask (fetch.spec.whatwg.org/#bad-port)';
    const said = message === '' ? code : message.includes(code) ? message : `${message} (${code})`;
    if (said !== '') causes.push(said.replace(/\s+/g, ' ').slice(0, 200));
  }
  const hint = /certificate|CERT|self.signed/i.test(causes.join())
    ? '; NODE_EXTRA_CA_CERTS=FILE names a CA to trust'
    : '';
  return `${causes.at(-1) ?? String(error)}${hint}`;
}
