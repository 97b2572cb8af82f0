import { UsageError } from '../../base/usage.ts';

/** Where a user sent us, and what proves that we may ask. What is in `authorization` is never shown. */
export interface Endpoint {
  /** Without user name and password. */
  readonly url: URL;
  /** For messages and reports: also without the query, which may hold a token. */
  readonly shown: string;
  readonly authorization?: string;
}

const likeOf: Readonly<Record<string, string>> = { '--prometheus': 'http://prometheus:9090' };

/**
 * The address given with a flag.
 * @throws UsageError when it is none; the line repeats nothing of it that could be a password
 */
export function parseEndpoint(flag: string, text: string): Endpoint {
  let url: URL;
  try {
    url = new URL(text);
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new UsageError(`${flag}: not a URL: write it like ${likeOf[flag] ?? 'http://host:9100/metrics'}`);
  }
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    // host:9100 parses as a URL of the scheme host.
    throw new UsageError(
      `${flag}: begins with neither http:// nor https://: write it like ${likeOf[flag] ?? 'http://host:9100/metrics'}`,
    );
  }
  const { username, password } = url;
  url.username = '';
  url.password = '';
  url.hash = '';
  const shown = `${url.origin}${url.pathname}${url.search === '' ? '' : '?...'}`;
  if (username === '' && password === '') return { url, shown };
  const secret = [username, password].map((part) => decoded(flag, part)).join(':');
  return { url, shown, authorization: `Basic ${Buffer.from(secret).toString('base64')}` };
}

function decoded(flag: string, part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (error) {
    if (!(error instanceof URIError)) throw error;
    throw new UsageError(`${flag}: the user name or password in the URL has a % that is not followed by two digits`);
  }
}
